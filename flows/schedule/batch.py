"""The flow of one batch: each stage, each checkpoint and each step of publication is a task.

It ends as `Completed`, `Held` or `Refused`; the last two are of type FAILED, so that alerts fire. A hold is a row in
our ledger, not a sleeping run: a decision, then another run. Parameters are a batch's public name and the home's
folder; nothing else reaches Prefect but counts, ids and codes.
"""

import traceback
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed, Failed

from expectations.base.errors import Fault, SluicegateError
from flows.batch.advance import advance
from flows.batch.plan import Step
from flows.batch.steps import BatchSteps
from flows.home.tree import alone, open_home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.operations.progress import Reporter
from flows.schedule.retries import RETRIES

_RUNNING: dict[str, BatchSteps] = {}  # by batch: a task's parameters are persisted, so that they are names only
_NAMES = {State.HELD: "Held", State.REFUSED: "Refused"}


@task(persist_result=False)
def step(batch: str, name: str) -> None:
    """One step of a batch; a checkpoint leaves a table of counts."""
    try:
        verdict = _RUNNING[batch].do(Step(name))
    except SluicegateError:
        raise
    except Exception as error:  # libraries quote values in their messages: only type and place go on
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        raise Fault("UNEXPECTED", type(error).__name__, where=where, remedy="Run the batch again.") from None
    if verdict is not None:
        shown = ("check", "ok", "rows", "failed", "code")
        rows = [{name: getattr(result, name) for name in shown} for result in verdict.results]
        create_table_artifact(key=f"{batch}-{name}", table=rows, description=f"{name}: {verdict.status}")


def _run(batch: str, which: Step) -> None:
    """One step as a task of its name, tried again as `RETRIES` says."""
    pauses = RETRIES[which].pauses

    async def may_retry(_task: Any, _run: Any, state: PrefectState) -> bool:
        return isinstance(await state.aresult(raise_on_failure=False), RETRIES[which].on)

    task_of_step = step.with_options(
        name=which.value, retries=len(pauses), retry_delay_seconds=list(pauses), retry_condition_fn=may_retry
    )
    task_of_step(batch, which.value)


@flow(name="batch", persist_result=False, validate_parameters=False)
def batch_flow(batch: str, home: str, quiet: bool = True) -> PrefectState:
    """Runs the batch of this public name, in this home folder, until it is released, held or refused."""
    opened = open_home(Path(home))
    clock = opened.clock()
    with Ledger.open(opened.ledger_url, clock) as ledger, alone(opened, batch), Reporter(quiet=quiet) as progress:
        steps = _RUNNING[batch] = BatchSteps(opened, ledger, batch, progress)
        try:
            advance(steps, lambda which: _run(batch, which))
        finally:
            del _RUNNING[batch]
        record = steps.record
    message = f"{record.name} is {record.state}" + (f": {', '.join(record.codes)}" if record.codes else "")
    if record.state is State.PUBLISHED:
        return Completed(message=message)
    return Failed(name=_NAMES.get(record.state, record.state.value.capitalize()), message=message)
