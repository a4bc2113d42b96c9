"""`sluicegate run`: a submission, or a batch that waits, until it is released, held or refused."""

from __future__ import annotations

from pathlib import Path

from expectations.clock import Clock
from expectations.errors import DONE, HELD, REFUSED, BadInput, Fault, Usage
from flows import orchestrator
from flows.home import Home
from flows.ledger import Ledger
from flows.ledger.batches import BatchRecord
from flows.ledger.states import State
from flows.progress import Reporter
from flows.registers import current_register

EXIT_CODES = {
    State.PUBLISHED: DONE,
    State.HELD: HELD,
    State.REFUSED: REFUSED,
    State.REJECTED: REFUSED,
    State.WITHDRAWN: REFUSED,
    State.EXPIRED: REFUSED,
    State.UNREADABLE: BadInput.exit_code,
    State.SEALED: HELD,  # releases are halted
    State.PREPARED: HELD,
}


def run(home: Home, what: str, report: Reporter) -> BatchRecord:
    """Runs a submission (a folder) or a known batch (its name) until it is released, held or refused.

    Gives what the ledger says then. Raises BadInput on a submission that cannot be read, Usage on a batch that nobody knows, Fault when the system failed.
    """
    wait = orchestrator.warm_up(home)
    name = _name(home, what, report)
    from flows.batch import batch_flow

    wait()
    ended = batch_flow(name, str(home.root), quiet=report.quiet, return_state=True)
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        record = ledger.batch(name)
    assert record is not None
    if record.state is State.FAILED or (ended.is_crashed() and record.state not in EXIT_CODES):
        _raise(ended.result(raise_on_failure=False))
    if record.state is State.UNREADABLE:
        _raise(ended.result(raise_on_failure=False))
    return record


def exit_code(record: BatchRecord) -> int:
    """The exit code of a batch that stands where `record` says."""
    return EXIT_CODES.get(record.state, Fault.exit_code)


def _name(home: Home, what: str, report: Reporter) -> str:
    """The batch's name; a submission is taken in first."""
    from flows.receive import receive

    folder = Path(what)
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        if not folder.is_dir() and ledger.batch(what) is not None:
            return what
        if not folder.is_dir():
            raise Usage(
                "NO_SUCH_BATCH",
                "this is neither a folder nor a batch",
                remedy="Give a submission's folder or a batch's name.",
            )
        current_register(home, report)
        return receive(home, ledger, Clock(), folder)


def _raise(error: object) -> None:
    if isinstance(error, Exception):
        raise error
    raise Fault("FLOW_FAILED", "the flow failed without saying why", remedy="See sluicegate status, then run it again.")
