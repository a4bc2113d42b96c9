"""The one clock. Legal dates are dates in the agreement's zone; the ledger's times are UTC.

A machine's clock may be wrong. What is decided, and what the ledger records, goes by a clock that the ledger has
compared with its newest event (`flows.ledger.timing`): `skew` and `leap` say how far the two may lie apart.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SKEW, LEAP = timedelta(seconds=5), timedelta(days=30)


@dataclass(frozen=True)
class Clock:
    """Tells the time.

    fixed      stands still at this time (UTC): for tests and sandboxes only
    pretended  legal days are asked of it as if it were then, and nothing is recorded as done then: sandboxes only
    skew       so far may the clocks of several machines lie apart
    leap       so far ahead of the newest event is believed without anybody's signature
    """

    fixed: datetime | None = None
    pretended: bool = False
    skew: timedelta = SKEW
    leap: timedelta = LEAP

    def now(self) -> datetime:
        """The time now, in UTC, to the microsecond."""
        return self.fixed or datetime.now(UTC)

    def today(self, zone: str) -> date:
        """The legal date now in `zone` (an IANA name)."""
        return legal_date(self.now(), zone)


def legal_date(moment: datetime, zone: str) -> date:
    """The calendar date of `moment` (aware) in `zone`: a day begins at its midnight there, not in UTC."""
    if moment.tzinfo is None:
        raise ValueError("a legal date needs an aware time")
    return moment.astimezone(ZoneInfo(zone)).date()
