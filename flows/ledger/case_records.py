"""A recall case as the ledger knows it: what it was opened on, and the steps that its events tell of."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Json
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from flows.ledger.database.models import Event, RecallCase, Seal, SealKind, Time, as_record
from flows.ledger.events.base import Kind
from flows.ledger.events.seals import AFFECTED
from flows.ledger.lifecycles.cases import CaseReason, CaseState, Proof

ATTESTATION = "attestation.txt"  # the document that the recipient signs


@dataclass(frozen=True)
class NewCase:
    """What a case is opened on. `batches`, `codes`: rows by batch, by code; `affected`: digest of (batch, ordinal)."""

    id: str
    requester: str
    agreement: str
    reason: CaseReason
    discovered_at: Time
    batches: Json[Mapping[str, int]]
    codes: Json[Mapping[str, int]]
    affected: str


@dataclass(frozen=True)
class StepRecord:
    """A step that was taken, or documents that were issued (then `proof` is None, and the state stays).

    rests_on   digest of the proof; documents: digest by name, as each is sealed now; facts: all that the event says
    """

    seq: int
    at: Time
    state: CaseState
    proof: Proof | None
    rests_on: str | None
    documents: Mapping[str, str]
    facts: Json[Mapping[str, Any]]


@dataclass(frozen=True)
class CaseRecord(NewCase):
    """A case as the ledger knows it. `seq`: the event that brought it where it is; `steps`: oldest first."""

    state: CaseState
    seq: int
    steps: tuple[StepRecord, ...]

    @property
    def rows(self) -> int:
        return sum(self.batches.values())

    @property
    def documents(self) -> dict[str, str]:
        """The newest digest of every document that was issued."""
        return {name: digest for step in self.steps for name, digest in step.documents.items()}

    def reached(self) -> dict[CaseState, datetime]:
        """When each state was reached, but for those that the case came back from, for a copy that came to light."""
        found: dict[CaseState, datetime] = {}
        rank = list(CaseState).index
        for step in self.steps:
            found = {s: at for s, at in found.items() if rank(s) <= rank(step.state)}
            found.setdefault(step.state, step.at)
        return found


_STEPS = select(Event).where(Event.kind.in_((Kind.RECALL, Kind.RECALL_ISSUED))).order_by(Event.seq)


def record(session: Session, row: RecallCase) -> CaseRecord:
    """A row of the ledger, with its events, as callers see it."""
    of_it = _STEPS.where(Event.facts.contains(row.id, autoescape=True))  # and those of others that name it
    return as_record(CaseRecord, row, steps=tuple(_steps(session, of_it)[row.id]))


def records(session: Session) -> list[CaseRecord]:
    """All cases, in the order in which they were opened; their events are read once for all of them."""
    steps = _steps(session, _STEPS)
    found = [as_record(CaseRecord, row, steps=tuple(steps[row.id])) for row in session.scalars(select(RecallCase))]
    return sorted(found, key=lambda case: case.steps[0].seq)


def _steps(session: Session, query: Select[Event]) -> Mapping[str, Sequence[StepRecord]]:
    """The steps that these events tell of, by case, oldest first."""
    found: dict[str, list[StepRecord]] = defaultdict(list)
    kept = select(Seal.owner, Seal.digest).where(Seal.kind == SealKind.RECALL.value)
    now = {row.owner: row.digest for row in session.execute(kept)}
    for event in session.scalars(query):
        said = json.loads(event.facts)
        issued = {n: now.get(said["case"], d) if n == AFFECTED else d for n, d in said.get("documents", {}).items()}
        more = {name: said.get(name) for name in ("proof", "rests_on")} | {"documents": issued}
        found[said["case"]].append(as_record(StepRecord, event, state=said["step"], **more))
    return found
