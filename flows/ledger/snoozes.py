"""What of all that waits somebody set aside for a while. It stays listed and counted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from expectations.base.errors import Usage
from flows.ledger import facts
from flows.ledger.core import Core
from flows.ledger.database.models import Snooze, Time, as_record, stamp, to_us
from flows.ledger.events.snoozes import Snoozed, Unsnoozed
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of
from flows.ledger.snoozing import MOST, SnoozeReason


@dataclass(frozen=True)
class SnoozeRecord:
    """Something that is set aside: by whom, since when, until when, and why. `seq`: the event."""

    thing: str
    seq: int
    at: Time
    until: Time
    operator: str
    reason: SnoozeReason


class Snoozes(Core):
    """Sets aside, and takes back."""

    def snooze(
        self,
        thing: str,
        operator: str,
        reason: SnoozeReason,
        until: datetime,
        batch: str | None = None,
        note: str | None = None,
    ) -> None:
        """Sets something aside until then, in the place of an earlier time; `batch`: if it is one. Raises NotYourRole
        if the operator may not, Usage for a time that has passed or is more than `MOST` away."""
        with self.transaction() as session:
            require(roles_of(active_operator(session, operator)), Act.SNOOZE, operator)
            now = self.clock.now()
            if not now < until <= now + MOST:
                what = f"nothing is set aside for more than {MOST.total_seconds() / 3600:.0f} hours, or until the past"
                raise Usage("SNOOZE_TOO_LONG", what, remedy="Choose a shorter time.")
            what, said = facts.digest(thing, "thing"), note and facts.digest(note, "note")
            event = Snoozed(thing=what, by=operator, reason=reason, until=to_us(until), note=said)
            self.append(session, batch, event, also={batch} if batch else set(), at=stamp(now))

    def unsnooze(self, thing: str, operator: str, batch: str | None = None) -> None:
        """Takes it back. Raises as `snooze`, and Usage if it is not set aside."""
        with self.transaction() as session:
            require(roles_of(active_operator(session, operator)), Act.SNOOZE, operator)
            if session.get(Snooze, facts.digest(thing, "thing")) is None:
                raise Usage("NOT_SNOOZED", "it is not set aside", remedy="See sluicegate status.")
            self.append(session, batch, Unsnoozed(thing=thing, by=operator), also={batch} if batch else set())

    def snoozes(self, now: datetime) -> dict[str, SnoozeRecord]:
        """What is set aside at that time, by the thing."""
        with self.reading() as session:
            rows = session.scalars(select(Snooze).where(Snooze.until > stamp(now)))
            return {row.thing: as_record(SnoozeRecord, row) for row in rows}
