"""Others are asked to look at something that waits. It decides nothing, signs nothing and holds nothing up: whoever is
told decides by what they see."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.base.errors import Usage
from flows.ledger import facts
from flows.ledger.calling import CallReason
from flows.ledger.core import Core
from flows.ledger.database.models import Event, Time, as_record
from flows.ledger.events.base import Kind
from flows.ledger.events.snoozes import Called
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of


@dataclass(frozen=True)
class CallRecord:
    """That somebody asked others to look: who, when, why. `seq`: the event."""

    seq: int
    at: Time
    operator: str
    reason: CallReason


class Calls(Core):
    """Asks others to look."""

    def call(
        self, thing: str, operator: str, reason: CallReason, batch: str | None = None, note: str | None = None
    ) -> int:
        """Asks for others; gives the event's number. `thing`, `batch`, `note`: as of `Snoozes.snooze`. Raises
        NotYourRole if the operator may not, Usage if this one asked already, as it waits now."""
        with self.transaction() as session:
            require(roles_of(active_operator(session, operator)), Act.CALL, operator)
            what, said = facts.digest(thing, "thing"), note and facts.digest(note, "note")
            if any(one.operator == operator for one in _calls(session)[what]):
                remedy = "Ask them by telephone if it cannot wait."
                raise Usage("CALLED_ALREADY", "you have asked for others already, and word went out", remedy=remedy)
            event = Called(thing=what, by=operator, reason=reason, note=said)
            return self.append(session, batch, event, also={batch} if batch else set())

    def calls(self) -> Mapping[str, list[CallRecord]]:
        """Who has asked others to look, by the thing, the oldest first."""
        with self.reading() as session:
            return _calls(session)


def _calls(session: Session) -> defaultdict[str, list[CallRecord]]:
    found: defaultdict[str, list[CallRecord]] = defaultdict(list)
    for event in session.scalars(select(Event).where(Event.kind == Kind.CALLED.value).order_by(Event.seq)):
        said = json.loads(event.facts)
        found[said["thing"]].append(as_record(CallRecord, event, operator=said["by"], reason=said["reason"]))
    return found
