"""What was started, and when it is started again if nothing came of it: word of it was lost, its process died, or what
it needs was out of reach for a while. After the last pause it is left to the nights, and to people."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from flows.schedule.due import PASSING, Due

PAUSES = (60.0, 300.0, 900.0, 3600.0)  # seconds


@dataclass(frozen=True)
class _Start:
    version: int
    at: float
    again: int  # how often it was started again since it last changed


class Started:
    """By what was started. `clock`: seconds, from any beginning."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._starts: dict[str, _Start] = {}

    def wanted(self, one: Due) -> bool:
        """Whether it is to be started now: it is new, it has changed since, or its pause is over."""
        last = self._starts.get(one.what)
        if last is None or _changed(last, one):
            return True
        return last.again < len(PAUSES) and self._clock() >= last.at + PAUSES[last.again]

    def again(self, one: Due) -> bool:
        """Whether it was started before, just as it is."""
        last = self._starts.get(one.what)
        return last is not None and not _changed(last, one)

    def note(self, one: Due) -> int:
        """It is started now; gives how often it was before, just as it is."""
        last = self._starts.get(one.what)
        again = 0 if last is None or _changed(last, one) else last.again + 1
        self._starts[one.what] = _Start(one.version, self._clock(), again)
        return again


def _changed(last: _Start, one: Due) -> bool:
    """A batch that broke off has changed by that alone: not a reason to start it at once."""
    return one.version not in (last.version, PASSING)
