"""Work as a Prefect task: seen under its name, tried again after an error that may pass, stopped when it takes long.

Prefect keeps what a task is given: names of ours, never what it works on. What it raises is a name and a place: other
libraries quote values in their messages.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefect import task
from prefect.client.schemas.objects import State as PrefectState

from expectations.base.errors import Fault, SluicegateError
from flows.schedule.retries import Retries
from pipelines.lake.failures import of_resources, place_of

Result = TypeVar("Result")
_WORK: dict[str, Callable[[], Any]] = {}  # by name and place in the run: see above


@task(persist_result=False)
def _work(key: str) -> Any:
    try:
        return _WORK[key]()
    except SluicegateError:
        raise
    except Exception as error:
        where, remedy = place_of(error), "Run the batch again."
        other = Fault("UNEXPECTED", type(error).__name__, where=where, remedy=remedy)
        raise of_resources(error, where) or other from None


def as_task(name: str, work: Callable[[], Result], retries: Retries) -> Result:
    """What `work` gives, done as a task of this name within the flow that calls: a state that it gives is the task's.
    Raises what it raised at last; of what is no error of ours, a Fault that says the type and the place."""

    async def may_retry(_task: Any, _run: Any, state: PrefectState) -> bool:
        return isinstance(await state.aresult(raise_on_failure=False), retries.on)

    named = _work.with_options(
        name=name,
        task_run_name=name,
        retries=len(retries.pauses),
        retry_delay_seconds=list(retries.pauses),
        retry_condition_fn=may_retry,
        timeout_seconds=retries.seconds,
    )
    key = f"{name}-{len(_WORK)}"
    _WORK[key] = work
    try:
        ended = named(key, return_state=True)
    finally:
        del _WORK[key]
    found = ended.result(raise_on_failure=False)
    if isinstance(found, BaseException):
        raise found
    return cast(Result, found)
