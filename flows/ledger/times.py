"""Times as the ledger writes them: text in its tables, microseconds since 1970 (UTC) in what its events say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    """An aware time as text: UTC, to the microsecond, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def to_us(moment: datetime) -> int:
    """An aware time in microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(number: int) -> datetime:
    """The time that `to_us` gave this number for; raises ValueError if there is none."""
    try:
        return _EPOCH + timedelta(microseconds=number)
    except OverflowError:
        raise ValueError("no time is so far away") from None
