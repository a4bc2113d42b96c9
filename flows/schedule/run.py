"""`sluicegate run`: a submission, or a batch that waits, run until it is released, held or refused."""

from collections.abc import Mapping
from pathlib import Path

from expectations.base.errors import DONE, HELD, REFUSED, BadInput, Fault, Usage
from expectations.base.total import total
from flows.batch.unreadable import put_aside
from flows.home.registers import current_register
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import State
from flows.operations.progress import Reporter
from flows.schedule import preload, server

# The exit code of a run that leaves a batch in this state; a batch that is still on its way broke off.
EXIT_CODES: Mapping[State, int] = total(
    State,
    {
        State.PUBLISHED: DONE,
        **dict.fromkeys((State.HELD, State.SEALED, State.PREPARED), HELD),  # sealed, prepared: releases are halted
        **dict.fromkeys((State.REFUSED, State.REJECTED, State.WITHDRAWN, State.EXPIRED), REFUSED),
        State.UNREADABLE: BadInput.exit_code,
        **dict.fromkeys((State.RECEIVED, State.INGESTED, State.MATCHED, State.VALIDATED), Fault.exit_code),
        State.FAILED: Fault.exit_code,
    },
)


def run(home: Home, what: str, report: Reporter, operator: str | None = None) -> BatchRecord:
    """Runs a submission (a folder) or a known batch (its name) until it is released, held or refused. Gives what the
    ledger says then. `operator`: who takes a submission in. Raises BadInput on a submission that cannot be read, Usage
    on a batch that nobody knows or an operator who may not take it in, Fault when the system failed."""
    wait = server.warm_up(home)
    preload.begin(home)
    name = _name(home, what, report, operator)
    from flows.schedule.batch import batch_flow

    wait()
    ended = batch_flow(name, str(home.root), quiet=report.quiet, return_state=True)
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        record = ledger.known_batch(name)
    if record.state is State.UNREADABLE:
        put_aside(home, Path(what))
    broke_off = ended.is_crashed() and EXIT_CODES[record.state] == Fault.exit_code
    if broke_off or record.state in (State.FAILED, State.UNREADABLE):
        error = ended.result(raise_on_failure=False)
        if isinstance(error, Exception):
            raise error
        raise Fault("FLOW_FAILED", "the flow failed without an error", remedy="See sluicegate status; run it again.")
    return record


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _name(home: Home, what: str, report: Reporter, operator: str | None) -> str:
    """The batch's name; a submission is taken in first: by a person who names its folder, by nobody if it is called by
    its id, as `watch` does with what lies in the inbox."""
    from flows.batch import inbox
    from flows.batch.receive import ByHand, receive

    folder = Path(what)
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        if _is_folder(folder):
            current_register(home, report)
            return receive(home, ledger, ledger.clock, folder, ByHand(operator))
        if what.startswith("s-"):
            current_register(home, report)
            return receive(home, ledger, ledger.clock, inbox.find(home, what))
        if ledger.batch(what) is None:
            remedy = "Name a submission's folder, or a batch as sluicegate status lists it."
            raise Usage("NO_SUCH_BATCH", "there is neither a folder nor a batch of this name", remedy=remedy)
        return what
