"""Nonces that a page gave out: each is taken back once, and within a while."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flows.ledger import passkeys

SECONDS = 300.0  # a line is copied, signed and pasted
_MOST = 10_000  # those given out longest ago are forgotten first


class Once:
    """Those of one process, in memory: whoever was asked before it started is asked again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, seconds: float = SECONDS) -> None:
        self._clock, self._seconds, self._lock = clock, seconds, threading.Lock()
        self._given: OrderedDict[bytes, float] = OrderedDict()

    def give(self) -> bytes:
        """A new one."""
        made = passkeys.nonce()
        with self._lock:
            self._given[made] = self._clock()
            if len(self._given) > _MOST:
                self._given.popitem(last=False)
        return made

    def take(self, nonce: bytes) -> bool:
        """Whether it was given out, not long ago, and not taken back before."""
        with self._lock:
            at = self._given.pop(nonce, None)
        return at is not None and self._clock() - at <= self._seconds
