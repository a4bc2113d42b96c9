"""The flow of one batch: each stage, each checkpoint and each step of publication is a task.

It ends as `Completed`, `Held` or `Refused`; the last two are of type FAILED, so that alerts fire, and so is the task of
the checkpoint that stops it. A hold is a row in our ledger, not a sleeping run: a decision, then another run.
Parameters are ids and the home's folder; nothing else reaches Prefect but counts, ids and codes.
"""

from contextlib import suppress
from pathlib import Path
from uuid import UUID

from prefect import flow, runtime
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed, Failed

from flows.batch import inbox
from flows.batch.advance import advance
from flows.batch.plan import PLAN, Step
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.home.tree import Home, alone, open_home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import State
from flows.operations import logs, observing
from flows.operations.progress import Reporter
from flows.reports import held
from flows.schedule import preload
from flows.schedule.retries import PARTS, RETRIES, Part
from flows.schedule.tasks import as_task

_NAMES = {State.HELD: "Held", State.REFUSED: "Refused"}


def take_in(home: Home, ledger: Ledger, folder: Path) -> str:
    """Receives a submission, as a task; gives its batch's name."""
    return as_task(Part.RECEIPT.value, lambda: receive(home, ledger, ledger.clock, folder), PARTS[Part.RECEIPT])


def _step(seen: observing.Run, which: Step) -> None:
    """One step of a batch, as a task of its name. A checkpoint leaves what it found, and is red if it stops it."""

    steps = seen.steps

    def work() -> PrefectState | None:
        if which not in PLAN[steps.record.state]:  # the try before did it, and lost the ledger before it heard so
            name = _NAMES.get(steps.record.state)
            return Failed(name=name, message=f"{steps.name} is {steps.record.state}") if name else None
        verdict = seen.step(which)
        if verdict is None:
            return None
        found = held.Found.of(steps, verdict)
        create_markdown_artifact(key=f"{steps.name}-{which.value}", markdown=found.page())
        name = _NAMES.get(steps.record.state)
        return Failed(name=name, message=found.sentence) if name else Completed(message=found.sentence)

    as_task(f"{steps.name} {which.value}", work, RETRIES[which])


@flow(name="batch", flow_run_name="{batch}", persist_result=False, validate_parameters=False)
def batch_flow(batch: str, home: str | None = None, quiet: bool = True) -> PrefectState:
    """Runs a batch, or a complete submission in the inbox by its id, until it is released, held or refused; in this
    home folder (SLUICEGATE_HOME if left out)."""
    opened = open_home(Path(home) if home else None)
    preload.begin(opened)
    logs.join(opened)
    with Ledger.open(opened.ledger_url, opened.clock()) as ledger, Reporter(quiet=quiet) as progress:
        name = take_in(opened, ledger, inbox.find(opened, batch)) if batch.startswith("s-") else batch
        with alone(opened, name):
            steps = BatchSteps(opened, ledger, name, progress)
            try:
                with observing.observed(steps) as seen:
                    advance(steps, lambda which: _step(seen, which))
            finally:
                _label(steps.record)
            record = steps.record
    message = f"{record.name} is {record.state}" + (f": {', '.join(record.codes)}" if record.codes else "")
    if record.state is State.PUBLISHED:
        return Completed(message=message)
    return Failed(name=_NAMES.get(record.state, record.state.value.capitalize()), message=message)


def _label(record: BatchRecord) -> None:
    """Names the run after its batch, and tags it with the agreement and the state that the batch is left in."""
    run = runtime.flow_run.get_id()
    tags = [*(runtime.flow_run.get_tags() or ()), record.agreement, record.state.value]
    with suppress(Exception), get_client(sync_client=True) as client:  # a batch has not failed because a label has
        client.update_flow_run(UUID(run), name=record.name, tags=tags)
