"""What is seen of pages, gathered in the process and written now and then: the ledger has one writer, a publication may
hold its lock for a minute, and no page waits for that. Only a process that is killed loses what it gathered last."""

import threading
from collections import Counter
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy.orm import Session

from expectations.base.errors import Fault, Transient
from flows.ledger.core import Core
from flows.ledger.events.console import Locked, Pages, SignInFailed
from flows.ledger.events.operators import Denied

_PLACES = 200  # kinds of events at once: beyond it nobody fills the chain by coming from ever other addresses
Counts: TypeAlias = Denied | Locked | Pages | SignInFailed


class Gathered:
    """Events with a count, each noted as 1."""

    def __init__(self, ledger: Core) -> None:
        self._ledger, self._lock = ledger, threading.Lock()
        self._counts: Counter[Counts] = Counter()
        self.lost = 0  # what the ledger refused: a fault of ours

    def note(self, event: Counts) -> None:
        """Adds it to those of the same words. Of tries from too many places at once the places are not kept apart."""
        with self._lock:
            if isinstance(event, SignInFailed) and event not in self._counts and len(self._counts) >= _PLACES:
                event = replace(event, source=None)
            self._counts[event] += 1

    def write(self) -> None:
        """Writes what was gathered. What the ledger is too busy for stays for the next time; raises nothing."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with self._ledger.transaction() as session:
                for event, count in counts.items():
                    self._append(session, event, count)
        except Transient:
            with self._lock:
                self._counts += counts
        except Fault:  # one of them cannot be written: the others can
            for event, count in counts.items():
                self._alone(event, count)

    def _alone(self, event: Counts, count: int) -> None:
        try:
            with self._ledger.transaction() as session:
                self._append(session, event, count)
        except Transient:
            with self._lock:
                self._counts[event] += count
        except Fault:
            self.lost += count

    def _append(self, session: Session, event: Counts, count: int) -> None:
        of = (event.batch, event.case) if isinstance(event, Pages) else ()
        names = {name for name in (event.by, *of) if name is not None}
        at = self._ledger.stamp_or_newest(session)  # also where this machine's clock is wrong
        self._ledger.append(session, None, replace(event, count=count), also=names, at=at)
