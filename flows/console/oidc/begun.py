"""What a browser began at a provider, until it comes back: once, soon, and in the same browser."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from flows.ledger.entrance import tokens

SECONDS = 600.0
_MOST = 10_000  # those begun longest ago are forgotten first


@dataclass(frozen=True)
class Begun:
    """`state` goes to the provider and comes back by the browser, whose cookie holds `browser`; `nonce` comes back in
    the ID token; only who has `verifier` can use the code. `back`: where one wanted to go; `invitation`: its token,
    where an identity is to be bound by it; `before`: the token of the session that this browser had then."""

    back: str
    invitation: str = field(default="", repr=False)
    before: str = field(default="", repr=False)
    state: str = field(default_factory=tokens.new, repr=False)
    browser: str = field(default_factory=tokens.new, repr=False)
    nonce: str = field(default_factory=tokens.new, repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


class Begins:
    """Those of one process, in memory: whoever began before it started begins again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._begun: OrderedDict[str, tuple[float, Begun]] = OrderedDict()

    def add(self, begun: Begun) -> None:
        """Remembers it."""
        with self._lock:
            self._begun[begun.state] = self._clock(), begun
            if len(self._begun) > _MOST:
                self._begun.popitem(last=False)

    def find(self, browser: str) -> Begun | None:
        """What this browser began, not long ago; it stays begun."""
        with self._lock:
            recent = [one for at, one in self._begun.values() if self._clock() - at <= SECONDS]
        return next((one for one in recent if tokens.same(browser, one.browser)), None)

    def take(self, state: str, browser: str) -> Begun | None:
        """What was begun with this state, in this browser, not long ago; whoever asks, it is there once."""
        with self._lock:
            at, found = self._begun.pop(state, (0.0, None))
        if found is None or self._clock() - at > SECONDS or not tokens.same(browser, found.browser):
            return None
        return found
