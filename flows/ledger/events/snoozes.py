"""What waits is set aside for a while, or taken back, or others are asked to look at it: none of it ends anything, or
keeps it from being said."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import delete

from flows.ledger.calling import CallReason
from flows.ledger.database.models import Operator, Snooze, from_us, stamp
from flows.ledger.events.base import Event, Kind
from flows.ledger.roles import Act, may
from flows.ledger.signing import roles_of
from flows.ledger.snoozing import MOST, SnoozeReason
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class _Of(Event):
    """About what waits, by SHA-256 of it as it is: `flows.schedule.things.Waits.thing`."""

    act: ClassVar[Act] = Act.SNOOZE
    thing: str
    by: str

    def wrong(self, tables: Tables) -> Iterator[str]:
        found = tables.find(Operator, self.by)
        if found is None or found.revoked_at is not None or not may(roles_of(found), self.act):
            yield f"{self.by} might not do this then"


@dataclass(frozen=True, kw_only=True)
class Snoozed(_Of, kinds=[Kind.SNOOZED]):
    """It is set aside until then (`until`: microseconds since 1970), unless it changes."""

    reason: SnoozeReason
    until: int
    note: str | None = None

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        if not from_us(self.until) - MOST <= datetime.fromisoformat(tables.place.at) < from_us(self.until):
            yield "it is set aside for longer than that may be"

    def apply(self, tables: Tables) -> None:
        place = tables.place
        over = (Snooze.until <= place.at) | (Snooze.thing == self.thing)
        tables.session.execute(delete(Snooze).where(over))
        said = {"until": stamp(from_us(self.until)), "operator": self.by, "reason": self.reason.value}
        tables.session.add(Snooze(thing=self.thing, seq=place.seq, at=place.at, **said))


@dataclass(frozen=True, kw_only=True)
class Unsnoozed(_Of, kinds=[Kind.UNSNOOZED]):
    """It waits again like all else."""

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        if tables.find(Snooze, self.thing) is None:
            yield "it was not set aside"

    def apply(self, tables: Tables) -> None:
        tables.session.execute(delete(Snooze).where(Snooze.thing == self.thing))


@dataclass(frozen=True, kw_only=True)
class Called(_Of, kinds=[Kind.CALLED]):
    """Others are asked to look at it."""

    act: ClassVar[Act] = Act.CALL
    reason: CallReason
    note: str | None = None
