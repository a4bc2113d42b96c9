"""That the key of a batch's evidence was destroyed, in the chain: `shredding` before anything is destroyed, `shredded`
after.

A crash in between leaves `shredding`: `ledger verify` says so, and the same command goes on. From `shredding` on,
nobody opens the evidence any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.base.errors import Usage
from flows.ledger import facts
from flows.ledger.core import Core, find
from flows.ledger.database.models import Event
from flows.ledger.events.batch import BatchKind, Shredded
from flows.ledger.events.batch import Shredding as ShreddingEvent
from flows.ledger.lifecycles.states import FINAL, State
from flows.ledger.registry import latest_instruments

SHREDDING, SHREDDED = BatchKind.SHREDDING.value, BatchKind.SHREDDED.value
STEPS = frozenset({SHREDDING, SHREDDED})
# Of the bodies of all enrolled instruments: why the evidence must be kept, in words for people; nothing if it need not
# be.
Keeps = Callable[[list[bytes]], Iterable[str]]


class Shredding(Core):
    """The two steps in which evidence ends."""

    def ended_at(self, batch: str) -> datetime | None:
        """When a batch came into its last state; None while it is under way."""
        with self.reading() as session:
            entry = find(session, batch)
            return _ended(session, entry.name, entry.state) if entry.state in FINAL else None

    def begin_shredding(self, batch: str, key: str | None, keeps: Keeps) -> list[str]:
        """Records that the evidence is about to be destroyed; gives the reasons why it may not be, and then records
        nothing.

        `key`: digest of the public half of its key; None where it has none. The reasons are asked for under the lock
        that a new order takes, so that an order comes before and is heeded, or after. Again: no change.
        """
        with self.transaction() as session:
            entry = find(session, batch)
            if entry.state not in FINAL:
                raise Usage("NOT_ENDED", f"the batch is {entry.state}: its evidence is needed", where=batch)
            reasons = list(keeps([body for _, _, body in latest_instruments(session)]))
            if not reasons and not _steps(session, batch):
                self.append(session, entry, ShreddingEvent(key=key and facts.digest(key, "key")))
            return reasons

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


def _ended(session: Session, batch: str, state: str) -> datetime:
    query = select(Event.at).where(Event.batch == batch, Event.kind == State(state).value).order_by(Event.seq.desc())
    at = session.scalar(query.limit(1))
    assert at is not None, "no change of state without its event"
    return datetime.fromisoformat(at)


def _steps(session: Session, batch: str) -> dict[str, str | None]:
    """The steps that are done, with the key that each names."""
    query = select(Event.kind, Event.facts).where(Event.batch == batch, Event.kind.in_(STEPS)).order_by(Event.seq)
    return {kind: json.loads(facts)["key"] for kind, facts in session.execute(query)}
