"""Word to people of what an event says, as a flow: triggers of its deployment (infra/prefect.yaml) run it. Addresses
stay in the home; Prefect knows ids only."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed, Failed

from expectations.base.total import total
from flows.home.tree import open_home
from flows.operations import notify
from flows.schedule.retries import PARTS, Part
from flows.schedule.tasks import as_task


class Notice(StrEnum):
    """What people hear of at once, by the name of its event."""

    HELD = "sluicegate.batch.held"
    REFUSED = "sluicegate.batch.refused"
    FAILED = "sluicegate.batch.failed"
    HALTED = "sluicegate.releases.halted"
    CALLED = "sluicegate.others.called"
    CRASHED = "prefect.flow-run.Crashed"
    DUE = "prefect.flow-run.Due"
    DIFFERS = "prefect.flow-run.Differs"
    NO_NIGHT = "no night"


SENTENCES: Mapping[Notice, str] = total(
    Notice,
    {
        Notice.HELD: "a batch is held",
        Notice.REFUSED: "a batch was refused",
        Notice.FAILED: "a batch failed",
        Notice.HALTED: "releases are halted",
        Notice.CALLED: notify.CALLED,
        Notice.CRASHED: "a run died; the next one goes on",
        Notice.DUE: "a deadline has passed or is near",
        Notice.DIFFERS: "a backup was made, and a file in it is not what the ledger says",
        Notice.NO_NIGHT: "no night has ended for more than a day",
    },
)


@flow(name="notify", persist_result=False, validate_parameters=False)
def notice_flow(what: str, of: str = "", home: str | None = None) -> PrefectState:
    """Sends word of `what` (a `Notice`) to whom `[notify]` names; `of`: the batch, or the name of a run."""
    opened = open_home(Path(home) if home else None)
    try:
        sentence = SENTENCES[Notice(what)]
    except ValueError:
        return Failed(message="no such notice; see infra/prefect.yaml")
    as_task(
        Part.NOTIFICATION.value,
        lambda: notify.send(opened, f"Sluicegate: {sentence}", notify.lines(opened, of)),
        PARTS[Part.NOTIFICATION],
    )
    return Completed(message=sentence)
