"""One run a batch at a time (and one preparation of a register) on one machine. Across machines the ledger's own
transactions decide."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.home.tree import Home


@contextmanager
def alone(home: Home, name: str) -> Iterator[None]:
    """Locks this batch: a second run of it waits here, and then finds it done. A killed run releases the lock."""
    with _lock(home, name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def busy(home: Home, name: str) -> bool:
    """Whether a run on this machine has locked this batch now."""
    with _lock(home, name).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _lock(home: Home, name: str) -> Path:
    return home.lake / f".{name}.lock"
