"""The flow of one batch: each stage, each checkpoint and each step of publication is a task.

It ends as `Completed`, `Held` or `Refused`; the last two are of type FAILED, so that alerts fire. A hold is a row in our
ledger, not a sleeping run: a decision, then another run. Parameters are a batch's public name and the home's folder;
nothing else reaches Prefect but counts, ids and codes.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed, Failed

from expectations.clock import Clock
from expectations.errors import Fault, SluicegateError, Transient
from expectations.gx.verdict import Verdict
from flows.advance import advance
from flows.home import open_home
from flows.ledger import Ledger
from flows.ledger.batches import BatchRecord
from flows.ledger.states import State
from flows.locks import alone
from flows.progress import Reporter
from flows.work import Work

_WORK: dict[str, Work] = {}  # by batch: a task's parameters are persisted, so that they are names only
_NAMES = {State.HELD: "Held", State.REFUSED: "Refused"}


async def _is_transient(_task: Any, _run: Any, state: PrefectState) -> bool:
    """Only what a retry may mend is tried again."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, Transient)


@task(retries=2, retry_delay_seconds=[1, 5], retry_condition_fn=_is_transient, persist_result=False)
def step(batch: str, name: str) -> None:
    """One step of a batch; a checkpoint leaves a table of counts."""
    try:
        result = _WORK[batch].do(name)
    except SluicegateError:
        raise
    except Exception as error:  # libraries quote values in their messages: only type and place go on
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        raise Fault("UNEXPECTED", f"{type(error).__name__}", where=where, remedy="Run the batch again.") from None
    if isinstance(result, Verdict):
        rows = [
            {"check": r.check, "ok": r.ok, "rows": r.rows, "failed": r.failed, "code": r.code} for r in result.results
        ]
        create_table_artifact(key=f"{batch}-{name}", table=rows, description=f"{name}: {result.status}")


@flow(name="batch", persist_result=False, validate_parameters=False)
def batch_flow(batch: str, home: str, quiet: bool = True) -> PrefectState:
    """Takes a batch as far as it goes. `batch`: its public name; `home`: the home folder; `quiet`: no progress."""
    opened, clock = open_home(Path(home)), Clock()
    with Ledger.open(opened.ledger_url, clock) as ledger, alone(opened, batch), Reporter(quiet=quiet) as progress:
        work = _WORK[batch] = Work(opened, ledger, clock, batch, progress)
        try:
            advance(work, lambda name: step.with_options(name=name)(batch, name))
        finally:
            del _WORK[batch]
        return _end(work.record)


def _end(record: BatchRecord) -> PrefectState:
    message = f"{record.name} is {record.state}" + (f": {', '.join(record.codes)}" if record.codes else "")
    if record.state is State.PUBLISHED:
        return Completed(message=message)
    return Failed(name=_NAMES.get(record.state, record.state.value.capitalize()), message=message)
