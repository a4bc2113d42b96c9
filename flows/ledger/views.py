"""Who looks at values, and why: each look is an event that is written before anything is shown."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.base.errors import Usage
from flows.ledger import facts, signing
from flows.ledger.core import Core, find
from flows.ledger.database.models import Event, stamp
from flows.ledger.events.base import Kind
from flows.ledger.events.batch import Viewed, ViewRefused
from flows.ledger.facts import LOOKS, View
from flows.ledger.looks import LookReason, Why
from flows.ledger.operators import active_operator
from flows.ledger.roles import require

# Looks at one person each: of these an operator has so many in an hour, and no more.
BOUNDED = frozenset({View.VALUES, View.REGISTER, View.PERSON})
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class ViewRecord:
    """A look at values. `ordinal`: None of a whole batch, or of a person; `reason`: None of an older version; `shown`:
    False of one that was refused, since there had been too many."""

    seq: int
    at: datetime
    who: str
    batch: str | None
    ordinal: int | None
    what: View
    reason: LookReason | None
    reference: str | None
    shown: bool


class Views(Core):
    """The audit of looks at values."""

    def audit(
        self, batch: str, ordinal: int | None, what: View, who: str, why: Why | None = None, most: int | None = None
    ) -> None:
        """Records, before, that `who` sees values of a row, or all of a batch (no ordinal): an operator whose roles
        allow it, who says why, and who has not looked `most` times within the hour; else raises Usage. Where a batch is
        only decided again from its evidence, any name does, and no reason is needed."""
        with self.transaction() as session:
            found = find(session, batch)
            event = self._look(session, Viewed(what=View(what), who=facts.name(who, "who"), ordinal=ordinal), why, most)
            self.append(session, found, event, also={who, *_ids(why)})
        _refuse(event, most)

    def audit_person(self, person_key: str, who: str, why: Why, most: int | None = None) -> None:
        """Records that `who` is about to see to whom a person's record was disclosed: call it before looking. Raises
        as `audit`."""
        person = facts.digest(person_key, "person")
        with self.transaction() as session:
            event = self._look(session, Viewed(what=View.PERSON, who=facts.name(who, "who"), person=person), why, most)
            self.append(session, None, event, also={who, *_ids(why)})
        _refuse(event, most)

    def _look(self, session: Session, event: Viewed, why: Why | None, most: int | None) -> Viewed | ViewRefused:
        """The event with its reason; or that it was one too many. Raises Usage for who may not look."""
        if acts := LOOKS[event.what]:
            roles = signing.roles_of(active_operator(session, event.who))
            for act in acts:
                require(roles, act, event.who)
            if why is None:
                raise Usage("WHY_LOOK", "who looks at values says why", remedy="Give a reason from the list: --reason.")
        if most is not None and event.what in BOUNDED and _looked(session, event.who, self.clock.now() - HOUR) >= most:
            return ViewRefused(what=event.what, who=event.who)
        return replace(event, reason=why.reason, reference=why.reference) if why else event

    def views(self, count: int, before: int | None = None) -> list[ViewRecord]:
        """The newest looks at values, refused ones too, the newest first; `before` event number so and so."""
        kinds = (Kind.VIEW.value, Kind.VIEW_REFUSED.value)
        query = select(Event).where(Event.kind.in_(kinds)).order_by(Event.seq.desc()).limit(count)
        with self.reading() as session:
            found = session.scalars(query if before is None else query.where(Event.seq < before))
            return [_record(event) for event in found]

    def viewed_since(self, since: datetime) -> tuple[int, int]:
        """How many looks at values there were since then, and of how many operators."""
        with self.reading() as session:
            who = [one["who"] for one in _facts(session, since) if View(one["what"]) in LOOKED_AT]
        return len(who), len(set(who))


LOOKED_AT = frozenset(what for what in View if LOOKS[what])  # where somebody sees values


def _facts(session: Session, since: datetime) -> list[dict[str, str]]:
    said = select(Event.facts).where(Event.kind == Kind.VIEW.value, Event.at >= stamp(since))
    return [json.loads(one) for one in session.scalars(said)]


def _looked(session: Session, who: str, since: datetime) -> int:
    return sum(one["who"] == who and View(one["what"]) in BOUNDED for one in _facts(session, since))


def _refuse(event: Viewed | ViewRefused, most: int | None) -> None:
    """Once it is recorded."""
    if isinstance(event, ViewRefused):
        what = f"you have looked at values {most:,} times within the hour, and no more are shown"
        raise Usage("TOO_MANY_VIEWS", what, where=event.who, remedy="Wait, or see views_per_hour in sluicegate.toml.")


def _ids(why: Why | None) -> set[str]:
    return {why.reference} if why and why.reference else set()


def _record(event: Event) -> ViewRecord:
    said = json.loads(event.facts)
    return ViewRecord(
        seq=event.seq,
        at=datetime.fromisoformat(event.at),
        who=said["who"],
        batch=event.batch,
        ordinal=said.get("ordinal"),
        what=View(said["what"]),
        reason=LookReason(said["reason"]) if said.get("reason") else None,
        reference=said.get("reference"),
        shown=event.kind == Kind.VIEW.value,
    )
