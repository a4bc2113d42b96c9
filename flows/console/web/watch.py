"""What is seen of tries to get around a limit or a check, and of what failed: counted, and a line of the log for each
kind every few seconds. The chain of the ledger has what operators did; here are those whom nobody knows, too."""

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address

from expectations.base.total import total
from flows.operations import logs

_MOST = 1_000  # addresses and operators that are told apart between two lines; beyond, only how many there were


class Sight(StrEnum):
    """What is seen."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    HOST = "host"
    ELSEWHERE = "elsewhere"
    FORM = "form"
    UNREADABLE = "unreadable"
    DENIED = "denied"
    TOO_OFTEN = "too_often"
    NOT_HTTP = "not_http"
    CROWDED = "crowded"
    TLS = "tls"
    LEDGER = "ledger"
    OUTGOING = "outgoing"


WORDS: Mapping[Sight, str] = total(
    Sight,
    {
        Sight.SIGNED_IN: "a sign-in",
        Sight.SIGN_IN_FAILED: "a sign-in that failed",
        Sight.HOST: "a request for another host name",
        Sight.ELSEWHERE: "a form from another site",
        Sight.FORM: "a form without the token of its session",
        Sight.UNREADABLE: "a form that no page here sends",
        Sight.DENIED: "what no role of the operator allows",
        Sight.TOO_OFTEN: "too many requests",
        Sight.NOT_HTTP: "a request that is not HTTP",
        Sight.CROWDED: "a request while too many are connected",
        Sight.TLS: "a TLS handshake that failed",
        Sight.OUTGOING: "a connection to a host that nobody named",
        Sight.LEDGER: "a page without its ledger: busy, or out of reach",
    },
)
_PLAIN = frozenset({Sight.SIGNED_IN})  # no cause for a warning


class Watch:
    """Counts in memory what is seen, by kind, address and operator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[tuple[Sight, str, str]] = Counter()

    def note(self, sight: Sight, address: str = "", operator: str = "") -> None:
        """Counts one more. `address`: of whoever asked; `operator`: who is signed in."""
        with self._lock:
            key = (sight, _address(address), operator)
            self._seen[key if key in self._seen or len(self._seen) < _MOST else (sight, "", "")] += 1

    def write(self) -> None:
        """A line of the log for each; then it begins anew."""
        with self._lock:
            seen, self._seen = self._seen, Counter()
        for (sight, address, operator), count in sorted(seen.items()):
            who = {name: said for name, said in (("address", address), ("operator", operator)) if said}
            text = f"console: {WORDS[sight]}: {count}" + (f" ({', '.join(who.values())})" if who else "")
            level = logging.INFO if sight in _PLAIN else logging.WARNING
            logs.tell("console.seen", text, level, what=sight.value, count=count, **who)


def _address(said: str) -> str:
    """An address as it is written; nothing else comes into the log."""
    try:
        return str(ip_address(said))
    except ValueError:
        return ""
