"""Files that are sent: a few at a time, since each is made anew and lies on the disk until it was sent."""

import threading
import weakref
from collections import Counter
from collections.abc import Callable
from typing import IO

from flows.console.web.problems import Problem
from flows.console.web.watch import Sight

MOST, EACH = 8, 2  # at a time: of all, and of one operator
_SECONDS = 5  # after so many one may ask again


class Downloads:
    """Which operator has how many open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    def opened(self, operator: str, make: Callable[[], IO[bytes]]) -> IO[bytes]:
        """What `make` gives; it counts until nobody has it any more. Raises Problem if there are too many."""
        with self._lock:
            if self._open[operator] >= EACH or self._open.total() >= MOST:
                raise Problem(429, {"Retry-After": str(_SECONDS)}, Sight.TOO_OFTEN, operator)
            self._open[operator] += 1
        try:
            file = make()
        except BaseException:
            self._ended(operator)
            raise
        weakref.finalize(file, self._ended, operator)
        return file

    def _ended(self, operator: str) -> None:
        with self._lock:
            self._open[operator] -= 1
