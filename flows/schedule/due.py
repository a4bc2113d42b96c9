"""What a run would change now: batches that can go on, among them those that failed of something that may pass, and
complete submissions that nobody has read."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.batch.inbox import batch_of, id_of, stamp, waiting_by
from flows.batch.unreadable import shown_name
from flows.home.tree import Home, busy
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import OPEN, State

_GO_ON = tuple(state for state in OPEN if state is not State.HELD)  # there a run changes nothing
PASSING = -1  # the version of a batch that failed of something that may pass


@dataclass(frozen=True)
class Due:
    """Something to be run.

    batch     its batch's name, which a submission will have
    id        the batch's name, or the submission's id: never a name that somebody else chose
    what      what `sluicegate run` is given
    shown     what it is called on this machine's terminal
    version   what it was when it was seen; it is not started again until that changes
    """

    batch: str
    id: str
    what: str
    shown: str
    version: int

    @property
    def is_submission(self) -> bool:
        return self.id != self.batch


def due(home: Home) -> Iterator[Due]:
    """The batches that can go on and are not running here, then the submissions; the oldest first."""
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        for record in ledger.batches(*_GO_ON):
            version = None if busy(home, record.name) else _version(home, ledger, record)
            if version is not None:
                yield Due(record.name, record.name, record.name, record.name, version)
        folders = waiting_by(ledger, home)
    for folder in folders:
        yield Due(batch_of(folder), id_of(folder), str(folder), shown_name(folder), stamp(folder))


def _version(home: Home, ledger: Ledger, record: BatchRecord) -> int | None:
    """What a batch is now; None if a run would change nothing of it."""
    if record.state is State.FAILED:
        return PASSING if home.passing_fault(record.name) else None
    if record.state not in (State.SEALED, State.PREPARED):
        return ledger.last_event(record.name)
    # what is ready to leave, and did not, waits for an event of no batch: a halt's end, an enrolment
    return None if ledger.halts() else ledger.last_event(None)
