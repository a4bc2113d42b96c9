"""How often somebody may try: a few at once, then one every so many seconds. In memory: an account's lock is not."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil

_MOST = 10_000  # whom it remembers; whoever was seen longest ago is forgotten first


class Rate:
    """A bucket for each: `burst` tries, refilled by one every `seconds`."""

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._seconds, self._clock = burst, seconds, clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tries, at that time

    def take(self, who: str) -> int:
        """Takes one try; 0 if there was one, else in how many seconds there is."""
        now = self._clock()
        with self._lock:
            left, at = self._left.pop(who, (float(self._burst), now))
            left = min(float(self._burst), left + (now - at) / self._seconds)
            taken = left >= 1
            self._left[who] = (left - 1 if taken else left, now)
            if len(self._left) > _MOST:
                self._left.popitem(last=False)
        return 0 if taken else ceil((1 - left) * self._seconds)

    def give_back(self, who: str) -> None:
        """Gives back a try that was none: nobody has more than `burst`."""
        with self._lock:
            if who in self._left:
                left, at = self._left[who]
                self._left[who] = (min(float(self._burst), left + 1), at)
