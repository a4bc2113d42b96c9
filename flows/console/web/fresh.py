"""What many readers ask for at the same time is worked out once: the first page takes longest, and is asked for
most."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

SECONDS = 1.0  # so old a page may be: it says as of when it is
_MOST = 50  # parts of the page that are kept


class Fresh:
    """What was made a moment ago, by what it was made of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._made: dict[Hashable, tuple[float, Any]] = {}

    def forget(self) -> None:
        """Makes everything anew for whoever comes next."""
        with self._lock:
            self._made.clear()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives, or gave for this key a moment ago. Whoever comes while it is made waits for that."""
        with self._lock:
            at, found = self._made.get(key, (None, None))
            if at is None or self._clock() - at > SECONDS:
                found = make()
                if len(self._made) >= _MOST:
                    self._made.clear()
                self._made[key] = (self._clock(), found)
            return found
