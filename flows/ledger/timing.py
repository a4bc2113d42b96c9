"""Time goes forward: the clock that everything here is judged by, compared with the newest event of the ledger.

A time before the newest event is refused, since an order that holds by then would seem not to; seconds of skew between
machines take the newest event's time. A leap ahead is refused, since retention would seem to have ended: it waits until
two operators sign which day it is (`flows.ledger.events.home.ClockSet`). The same event closes a stretch that a wrong
clock dated into the future, so that no ledger is locked for good.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base.clock import Clock
from expectations.base.errors import Fault
from flows.ledger.chain import Link
from flows.ledger.database.models import Event

_BEHIND, _AHEAD = "CLOCK_BEHIND", "CLOCK_AHEAD"
WRONG_CLOCK = frozenset({_BEHIND, _AHEAD})  # codes of faults: nothing is judged by such a clock
_REMEDY = "Set this machine's clock right. If it is right, two operators sign which day it is: sluicegate clock show."


@dataclass(frozen=True)
class GuardedClock(Clock):
    """A clock whose times are compared with the newest event (`newest`) whenever it is asked; raises Fault."""

    base: Clock = field(default_factory=Clock)
    newest: Callable[[], datetime | None] = lambda: None

    @classmethod
    def of(cls, clock: Clock, newest: Callable[[], datetime | None]) -> "GuardedClock":
        """This clock, guarded; one that is guarded already is guarded anew."""
        base = clock.base if isinstance(clock, GuardedClock) else clock
        return cls(base.fixed, base.pretended, base.skew, base.leap, base, newest)

    def now(self) -> datetime:
        """The time now. Raises Fault CLOCK_BEHIND or CLOCK_AHEAD; a pretended time is not compared."""
        if self.pretended:
            return self.base.now()
        return guarded(self.base.now(), self.newest(), self.skew, self.leap)

    def machine(self) -> datetime:
        """What the machine's clock says, right or wrong; nobody pretends here."""
        return Clock().now() if self.pretended else self.base.now()


def guarded(now: datetime, newest: datetime | None, skew: timedelta, leap: timedelta) -> datetime:
    """`now`, or the newest event's time where the clocks of two machines lie apart; raises Fault for another time."""
    if newest is None:
        return now
    if now < newest:
        if newest - now <= skew:
            return newest
        what = f"this machine's clock is {_apart(newest - now)} behind the newest event ({_day(newest)})"
        raise Fault(_BEHIND, what, where="clock", remedy=_REMEDY)
    if now - newest > leap:
        what = f"this machine's clock is {_apart(now - newest)} ahead of the newest event ({_day(newest)})"
        raise Fault(_AHEAD, what, where="clock", remedy=_REMEDY)
    return now


def _apart(difference: timedelta) -> str:
    days, hours = difference.days, difference.seconds // 3600
    return f"{days} days" if days > 1 else f"{days * 24 + hours} hours" if days or hours else f"{difference.seconds} s"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def newest_time(session: Session) -> datetime | None:
    """When the newest event was recorded; None of an empty ledger. Raises Fault if it names no time."""
    at = session.scalar(select(Event.at).order_by(Event.seq.desc()).limit(1))
    if at is None:
        return None
    try:
        return datetime.fromisoformat(at).astimezone(UTC)
    except ValueError:  # somebody wrote something else there
        what = "the newest event has no time that can be read"
        raise Fault("LEDGER_BROKEN", what, remedy="Run sluicegate ledger verify.") from None


def day_begins(day: date) -> datetime:
    """Midnight of a day, in UTC: the days that operators sign are such days."""
    return datetime.combine(day, time(), UTC)


def true_time(session: Session, event: Link) -> datetime:
    """When an event was, at the latest: a clock that two operators set right later says that it was before that."""
    set_right = select(func.min(Event.at)).where(Event.kind == "clock", Event.seq > event.seq)
    return datetime.fromisoformat(min(event.at, session.scalar(set_right) or event.at))
