"""What reports and accountings are made of: disclosures by person, and counts by batch. Only what was published counts.

The database counts, and streams: no list of claims comes into Python. Of persons there is no index (`Bulk.put`
says why): a question by person scans ten million claims in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, distinct, func, select
from sqlalchemy.orm import Session

from flows.ledger.core import BatchRecord, Core, record
from flows.ledger.database.models import Batch, Claim, Event, RecallCase, Recalled
from flows.ledger.lifecycles.states import State


@dataclass(frozen=True)
class Disclosed:
    """A person's record, disclosed with a batch. `requests`: how many requests of the batch were answered with it;
    `recalls`: state by id of the cases that recall any of them."""

    batch: BatchRecord
    published_at: datetime
    requests: int
    recalls: dict[str, str]


@dataclass(frozen=True)
class EventRecord:
    """An event: number, hash, time, kind, and what it says."""

    seq: int
    hash: str
    at: datetime
    kind: str
    facts: dict[str, Any]


class Figures(Core):
    """Reads only."""

    def disclosures_of(self, person_key: str) -> list[Disclosed]:
        """To whom this person's record was disclosed, oldest first."""
        with self.reading() as session:
            his = Claim.person_key == person_key  # a scan, in seconds: see Bulk.put
            requests = {
                row[0]: row[1]
                for row in session.execute(select(Claim.batch, func.count()).where(his).group_by(Claim.batch))
            }
            recalls = _recalls(session, his)
            rows = session.scalars(select(Batch).where(Batch.name.in_(requests), Batch.state == State.PUBLISHED.value))
            found = [
                Disclosed(record(b), _published_at(session, b.name), requests[b.name], recalls.get(b.name, {}))
                for b in rows
            ]
        return sorted(found, key=lambda d: (d.published_at, d.batch.name))

    def published_at(self, batch: str) -> datetime:
        """When a published batch left."""
        with self.reading() as session:
            return _published_at(session, batch)

    def persons(self, requester: str, batches: Iterable[str]) -> int:
        """How many different persons these batches of a requester disclosed."""
        query = select(func.count(distinct(Claim.person_key))).where(
            Claim.requester == requester, Claim.batch.in_(list(batches))
        )
        with self.reading() as session:
            return session.scalar(query) or 0

    def events_of(self, batch: str) -> list[EventRecord]:
        """The events of a batch, oldest first."""
        with self.reading() as session:
            query = select(Event).where(Event.batch == batch).order_by(Event.seq)
            return [_record(e) for e in session.scalars(query)]

    def newest(self, kind: str) -> dict[str, EventRecord]:
        """Of every batch that has one, its newest event of this kind."""
        query = select(Event).where(Event.kind == kind, Event.batch.is_not(None)).order_by(Event.seq)
        with self.reading() as session:
            return {str(e.batch): _record(e) for e in session.scalars(query.execution_options(yield_per=5_000))}


def _recalls(session: Session, claims: ColumnElement[bool]) -> dict[str, dict[str, str]]:
    """By batch, the state by id of the cases that recall any of these claims."""
    same = (
        (Recalled.requester == Claim.requester)
        & (Recalled.agreement == Claim.agreement)
        & (Recalled.request_key == Claim.request_key)
    )
    query = (
        select(Claim.batch, RecallCase.id, RecallCase.state)
        .join(Recalled, same)
        .join(RecallCase, RecallCase.id == Recalled.case_id)
        .where(claims)
    )
    found: dict[str, dict[str, str]] = {}
    for batch, case, state in session.execute(query):
        found.setdefault(batch, {})[case] = state
    return found


def _record(e: Event) -> EventRecord:
    return EventRecord(e.seq, e.hash, datetime.fromisoformat(e.at), e.kind, json.loads(e.facts))


def _published_at(session: Session, batch: str) -> datetime:
    query = select(Event.at).where(Event.batch == batch, Event.kind == State.PUBLISHED.value).order_by(Event.seq)
    return datetime.fromisoformat(session.scalars(query).one())
