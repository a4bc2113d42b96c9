"""Which notes people wrote about why they decided: by their digests, and for whom they are."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.ledger import facts
from flows.ledger.core import Core, find
from flows.ledger.database.models import Event
from flows.ledger.events.base import Kind
from flows.ledger.events.batch import Viewed
from flows.ledger.facts import View
from flows.ledger.lifecycles.states import State
from flows.ledger.operators import active_operator
from flows.ledger.review import standing_halts
from flows.ledger.roles import require
from flows.ledger.signing import roles_of

_KINDS = (Kind.DECISION, Kind.TAKEN_BACK, Kind.HALT, Kind.SNOOZED, Kind.CALLED)


@dataclass(frozen=True)
class NoteRecord:
    """A note. `seq`, `kind`: of the event that says so; `decision`: which, of one that was signed; `reason`: its code,
    None where none is given."""

    seq: int
    at: datetime
    kind: Kind
    by: str
    decision: str | None
    reason: str | None
    digest: str


class Notes(Core):
    """Notes as events name them."""

    def notes(self, batch: str | None, who: str) -> list[NoteRecord]:
        """Those on a batch, or those on none (halts, and what else waits), oldest first, as this operator may read
        them: what another has signed and still waits for a signature is not among them, since each decides alone."""
        with self.reading() as session:
            pending = _pending(session, batch)
            here = Event.batch.is_(None) if batch is None else Event.batch == batch
            query = select(Event).where(here, Event.kind.in_([kind.value for kind in _KINDS])).order_by(Event.seq)
            return list(_readable(session.scalars(query), pending, who))

    def audit_notes(self, batch: str | None, who: str) -> None:
        """Records that `who` is about to read what was written on a batch, or on no batch. Raises NotYourRole unless
        the roles of this operator allow it."""
        with self.transaction() as session:
            for act in facts.LOOKS[View.NOTES]:
                require(roles_of(active_operator(session, who)), act, who)
            event = Viewed(what=View.NOTES, who=who)
            self.append(session, None if batch is None else find(session, batch), event, also={who})

    def noted(self) -> frozenset[str]:
        """The digests of all notes that events name."""
        query = select(Event.facts).where(Event.kind.in_([kind.value for kind in _KINDS]))
        with self.reading() as session:
            said = (json.loads(one).get("note") for one in session.scalars(query))
            return frozenset(note for note in said if note)

    def noted_on(self, batch: str) -> dict[str, int]:
        """The digests of the notes on a batch, with the event of each."""
        query = select(Event.seq, Event.facts).where(Event.batch == batch, Event.kind.in_([k.value for k in _KINDS]))
        with self.reading() as session:
            said = [(json.loads(one).get("note"), seq) for seq, one in session.execute(query)]
            return {note: seq for note, seq in said if note}


def _pending(session: Session, batch: str | None) -> frozenset[int]:
    """The holds, or halts, on which somebody may still have to sign."""
    if batch is None:
        return frozenset(halt.seq for halt in standing_halts(session))
    entry = find(session, batch)
    return frozenset({entry.hold}) if entry.state == State.HELD and entry.hold else frozenset()


def _readable(events: Iterator[Event], pending: frozenset[int], who: str) -> Iterator[NoteRecord]:
    holds: dict[int, int] = {}  # by the event of the decision
    for event in events:
        said, kind = json.loads(event.facts), Kind(event.kind)
        if kind is Kind.DECISION:
            holds[event.seq] = said["hold"]
        hold = holds.get(said["withdraws"] if kind is Kind.TAKEN_BACK else event.seq)
        if said.get("note") and (hold not in pending or said["by"] == who):
            at, reason = datetime.fromisoformat(event.at), said.get("reason")
            yield NoteRecord(event.seq, at, kind, said["by"], said.get("decision"), reason, said["note"])
