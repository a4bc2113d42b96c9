"""What pages and nights show of many batches at once: one query each, however many there are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import func, select

from flows.ledger import chain
from flows.ledger.batches import told
from flows.ledger.core import Core
from flows.ledger.database.models import Decided, Event, as_record, stamp
from flows.ledger.decisions import KEYS_NEEDED, Decision, Reason
from flows.ledger.events.base import AT_THE_DOOR, ON_THE_DESK
from flows.ledger.review import DecisionRecord

_AT_A_TIME = 1000  # names or numbers in one query


@dataclass(frozen=True)
class GrantedRecord:
    """A decision that enough people signed. `batch`: None of one on a halt, whose number `hold` is then.

    at        when it counted: the last signature that it needed
    reasons   those that the signatures give, each once
    signed    how many signed it
    """

    at: datetime
    batch: str | None
    hold: int
    checkpoint: str
    decision: Decision
    reasons: tuple[Reason, ...]
    signed: int


class Overview(Core):
    """Looks at many batches."""

    def newest_change(self) -> int:
        """The number of the newest event that the first page shows; 0 if there is none."""
        with self.reading() as session:
            return chain.head_but(session, AT_THE_DOOR - ON_THE_DESK).seq

    def decided_since(self, since: datetime) -> list[GrantedRecord]:
        """The decisions that came to count at this moment or later, the newest first. One that still waits for a
        signature is not among them: those who have not spoken must not see it."""
        recent = select(Decided.hold).where(Decided.at >= stamp(since))
        signed = defaultdict[tuple[int, str], list[tuple[str | None, DecisionRecord]]](list)
        with self.reading() as session:
            for row in session.scalars(select(Decided).where(Decided.hold.in_(recent)).order_by(Decided.seq)):
                signed[row.hold, row.decision].append((row.batch, as_record(DecisionRecord, row, granted=False)))
        found = [one for some in signed.values() for one in _granted(some) if one.at >= since]
        return sorted(found, key=lambda one: (one.at, one.hold), reverse=True)

    def spoken(self, holds: Iterable[int]) -> dict[int, int]:
        """How many operators have signed anything on each of these holds, where any has."""
        found: dict[int, int] = {}
        with self.reading() as session:
            for some in _batched(holds):
                count = func.count(Decided.operator.distinct())
                query = select(Decided.hold, count).where(Decided.hold.in_(some)).group_by(Decided.hold)
                found |= {hold: int(number) for hold, number in session.execute(query)}
        return found

    def spoken_by(self, operator: str, holds: Iterable[int]) -> frozenset[int]:
        """On which of these holds this operator has signed anything."""
        found: set[int] = set()
        with self.reading() as session:
            for some in _batched(holds):
                query = select(Decided.hold).where(Decided.hold.in_(some), Decided.operator == operator)
                found |= set(session.scalars(query))
        return frozenset(found)

    def events_by_batch(self, batches: Iterable[str]) -> Mapping[str, list[dict[str, Any]]]:
        """The events of each of these batches, as `events` gives them."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        with self.reading() as session:
            for some in _batched(batches):
                query = select(Event).where(Event.batch.in_(some)).order_by(Event.seq)
                for event in session.scalars(query):
                    found[str(event.batch)].append(told(event))
        return found


def _granted(signed: list[tuple[str | None, DecisionRecord]]) -> Iterator[GrantedRecord]:
    """The decision that these signatures on one hold make, if they are enough: an operator signs each once."""
    batch, first = signed[0]
    needed = KEYS_NEEDED[first.decision]
    if len(signed) >= needed:
        reasons = tuple(sorted({one.reason for _, one in signed}))
        at = signed[needed - 1][1].at
        yield GrantedRecord(at, batch, first.hold, first.checkpoint, first.decision, reasons, len(signed))


def _batched(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while some := list(islice(rest, _AT_A_TIME)):
        yield some
