"""What a run would change now: batches that can go on, and complete submissions that nobody has read."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.batch.inbox import batch_of, id_of, stamp, waiting
from flows.batch.unreadable import shown_name
from flows.home.tree import Home, busy
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import OPEN, State

_GO_ON = tuple(state for state in OPEN if state not in (State.HELD, State.FAILED))  # there a run changes nothing


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
            if busy(home, record.name):
                continue
            # what is ready to leave, and did not, waits for an event of no batch: a halt's end, an enrolment
            ready = record.state in (State.SEALED, State.PREPARED)
            version = ledger.last_event(None if ready else record.name)
            yield Due(record.name, record.name, record.name, record.name, version)
    for folder in waiting(home):
        yield Due(batch_of(folder), id_of(folder), str(folder), shown_name(folder), stamp(folder))
