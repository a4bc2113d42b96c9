"""The one clock. Legal dates are dates in the agreement's zone; the ledger's times are UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Clock:
    """Tells the time. `fixed` (UTC) stands still: for tests and sandboxes only."""

    fixed: datetime | None = None

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
