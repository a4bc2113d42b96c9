"""What a batch asks for, and what it comes to with the requester's batches before it."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.ledger.events.base import Event, Kind
from flows.ledger.lifecycles.states import State
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Asked(Event, kinds=[Kind.ASKED]):
    """The rows of a batch were read: so many requests, whose keyed hashes lie in a file with this digest (`asked`)."""

    requests: int
    asked: str

    def wrong(self, tables: Tables) -> Iterator[str]:
        if tables.batch.state != State.RECEIVED:
            yield f"the rows of batch {tables.batch.name} could not be read there"


@dataclass(frozen=True, kw_only=True)
class OverPeriod(Event, kinds=[Kind.PERIOD]):
    """With what the requester asked for in the `days` before: so many requests; so many of one officer, of one reason.

    Both are those of this batch that most requests name.
    """

    days: int
    requests: int
    officer: int
    reason: int

    def wrong(self, tables: Tables) -> Iterator[str]:
        if max(self.officer, self.reason) > self.requests:
            yield f"what batch {tables.batch.name} comes to within the period does not add up"
