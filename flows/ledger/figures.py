"""What reports and accountings are made of: disclosures by person, and counts by batch. Only what was published counts.

The database counts, and streams: no list of claims comes into Python. Of persons there is no index (`Bulk.put`
says why): a question by person scans ten million claims in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Json
from sqlalchemy import ColumnElement, distinct, func, select
from sqlalchemy.orm import Session

from flows.ledger.core import BatchRecord, Core, reached, record
from flows.ledger.database.models import Batch, Claim, Event, RecallCase, Recalled, Time, as_record
from flows.ledger.lifecycles.states import State


@dataclass(frozen=True)
class Disclosed:
    """A person's record, disclosed with a batch. `requests`: how many of its requests were answered with it; `recalls`:
    state by id of the cases that recall any of them."""

    batch: BatchRecord
    published_at: datetime
    requests: int
    recalls: dict[str, str]


@dataclass(frozen=True)
class EventRecord:
    """An event: number, hash, time, kind, and what it says."""

    seq: int
    hash: str
    at: Time
    kind: str
    facts: Json[dict[str, Any]]


class Figures(Core):
    """Reads only."""

    def disclosures_of(self, person_key: str) -> list[Disclosed]:
        """To whom this person's record was disclosed, oldest first."""
        with self.reading() as session:
            his = Claim.person_key == person_key  # a scan, in seconds: see Bulk.put
            counted = session.execute(select(Claim.batch, func.count()).where(his).group_by(Claim.batch))
            requests = dict(counted.all())
            recalls, left = _recalls(session, his), State.PUBLISHED
            rows = session.scalars(select(Batch).where(Batch.name.in_(requests), Batch.state == left.value))
            found = [
                Disclosed(record(b), reached(session, b.name, left), requests[b.name], recalls.get(b.name, {}))
                for b in rows
            ]
        return sorted(found, key=lambda d: (d.published_at, d.batch.name))

    def published_at(self, batch: str) -> datetime:
        """When a published batch left."""
        with self.reading() as session:
            return reached(session, batch, State.PUBLISHED)

    def persons(self, requester: str, batches: Iterable[str]) -> int:
        """How many different persons these batches of a requester disclosed."""
        query = select(func.count(distinct(Claim.person_key)))
        query = query.where(Claim.requester == requester, Claim.batch.in_(list(batches)))
        with self.reading() as session:
            return session.scalar(query) or 0

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


def _recalls(session: Session, claims: ColumnElement[bool]) -> dict[str, dict[str, str]]:
    """By batch, the state by id of the cases that recall any of these claims."""
    same = (
        (Recalled.requester == Claim.requester)
        & (Recalled.agreement == Claim.agreement)
        & (Recalled.request_key == Claim.request_key)
    )
    query = select(Claim.batch, RecallCase.id, RecallCase.state).join(Recalled, same)
    found: dict[str, dict[str, str]] = {}
    for batch, case, state in session.execute(query.join(RecallCase, RecallCase.id == Recalled.case_id).where(claims)):
        found.setdefault(batch, {})[case] = state
    return found
