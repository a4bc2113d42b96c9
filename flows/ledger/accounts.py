"""What the chain tells of a batch: that it is accounted for, that the key of its evidence is gone, and all the rest.

Invariant 4, accounting first: `accounted` stands in the chain before the batch is prepared, refused or expired. A batch
that goes another way later (withdrawn, rejected) is accounted for again; its newest event counts.

`shredding` stands there before anything is destroyed, `shredded` after. A crash in between leaves `shredding`: `ledger
verify` says so, and the same command goes on. From `shredding` on, nobody opens the evidence any more.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import Json
from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.base.errors import Fault, Usage
from flows.ledger import chain, facts
from flows.ledger.core import Core, find, reached
from flows.ledger.database.models import Event, Time, as_record
from flows.ledger.events.base import Kind
from flows.ledger.events.batch import Accounted, Shredded, Shredding
from flows.ledger.lifecycles.states import FINAL, State
from flows.ledger.registry import latest_instruments
from flows.ledger.timing import true_time

ACCOUNTED, SHREDDING, SHREDDED = Kind.ACCOUNTED.value, Kind.SHREDDING.value, Kind.SHREDDED.value
SHREDDING_STEPS = frozenset({SHREDDING, SHREDDED})
# Of the bodies of all enrolled instruments: why the evidence must be kept, in words; nothing if it need not be.
Keeps = Callable[[list[bytes]], Iterable[str]]


@dataclass(frozen=True)
class EventRecord:
    """An event: number, hash, time, kind, and what it says."""

    seq: int
    hash: str
    at: Time
    kind: str
    facts: Json[dict[str, Any]]


class Accounts(Core):
    """What was accounted for, the two steps in which evidence ends, and what else events say."""

    def account(self, batch: str, accounted: Accounted) -> None:
        """Records that a batch's accounting and evidence are sealed.

        A batch that another run has prepared or published in the meantime stays accounted for as it is. Raises Fault if
        it would have to be accounted for otherwise, or if the outcomes do not add up to the rows.
        """
        if sum(accounted.outcomes.values()) != accounted.rows:
            raise Fault("COUNTS_DIFFER", "the outcomes do not add up to the rows", where=batch)
        with self.transaction() as session:
            entry = find(session, batch)
            if entry.state not in (State.PREPARED, State.PUBLISHED):
                self.append(session, entry, accounted)
            elif entry.merkle_root != accounted.merkle_root:
                raise Fault("ACCOUNTED_ALREADY", "what is released is accounted for already, otherwise", where=batch)

    def accounted(self, batch: str) -> dict[str, Any] | None:
        """What the newest event of a batch's accounting says; None if it was never accounted for."""
        with self.reading() as session:
            event = chain.newest(session, batch, ACCOUNTED)
            said: dict[str, Any] | None = json.loads(event.facts) if event else None
            return said

    def events_of(self, batch: str) -> list[EventRecord]:
        """The events of a batch, oldest first."""
        with self.reading() as session:
            query = select(Event).where(Event.batch == batch).order_by(Event.seq)
            return [as_record(EventRecord, e) for e in session.scalars(query)]

    def newest(self, kind: str) -> dict[str, EventRecord]:
        """Of every batch that has one, its newest event of this kind."""
        query = select(Event).where(Event.kind == kind, Event.batch.is_not(None)).order_by(Event.seq)
        query = query.execution_options(yield_per=5_000)
        with self.reading() as session:
            return {str(e.batch): as_record(EventRecord, e) for e in session.scalars(query)}

    def ended_at(self, batch: str) -> datetime | None:
        """When a batch came into its last state; None while it is under way."""
        with self.reading() as session:
            entry = find(session, batch)
            return reached(session, batch, State(entry.state)) if entry.state in FINAL else None

    def begin_shredding(self, batch: str, key: str | None, keeps: Keeps) -> list[str]:
        """Records that the evidence is about to be destroyed; gives why it may not be, and then records nothing.

        `key`: digest of the public half of its key; None where it has none. The reasons are asked for under the lock
        that a new order takes, so that an order comes before and is heeded, or after. Again: no change.
        """
        with self.transaction() as session:
            entry = find(session, batch)
            if entry.state not in FINAL:
                raise Usage("NOT_ENDED", f"the batch is {entry.state}: its evidence is needed", where=batch)
            reasons = list(keeps([body for _, _, body in latest_instruments(session)]))
            if not reasons and not _steps(session, batch):
                as_of = int(f"{self.clock.now():%Y%m%d}") if self.clock.pretended else None
                self.append(session, entry, Shredding(key=key and facts.digest(key, "key"), as_of=as_of))
            return reasons

    def shredding_began(self, batch: str) -> tuple[datetime, date | None] | None:
        """When the destruction of the evidence began, and the day that a sandbox pretended; None if it did not."""
        with self.reading() as session:
            event = chain.newest(session, batch, SHREDDING)
            if event is None:
                return None
            day = json.loads(event.facts).get("as_of")
            return true_time(session, event), datetime.strptime(str(day), "%Y%m%d").date() if day else None

    def end_shredding(self, batch: str) -> None:
        """Records that the evidence is destroyed. Again: no change."""
        with self.transaction() as session:
            entry, steps = find(session, batch), _steps(session, batch)
            if SHREDDED not in steps:
                self.append(session, entry, Shredded(key=steps[SHREDDING]))

    def shredding(self, batch: str) -> frozenset[str]:
        """Which of the two steps are done."""
        with self.reading() as session:
            return frozenset(_steps(session, batch))


def _steps(session: Session, batch: str) -> dict[str, str | None]:
    """The steps of shredding that are done, with the key that each names."""
    query = select(Event.kind, Event.facts).where(Event.batch == batch, Event.kind.in_(SHREDDING_STEPS))
    return {kind: json.loads(facts)["key"] for kind, facts in session.execute(query.order_by(Event.seq))}
