"""What nobody takes up again by itself: batches that waited too long, batches whose end a crash cut short, and what a
killed process left in clear."""

from __future__ import annotations

import shutil
from datetime import timedelta

from expectations.clock import Clock
from flows import expiry, views
from flows.home import Home
from flows.ledger import Ledger
from flows.ledger.claims import TRIES_COUNT
from flows.ledger.states import FINAL

_FORSAKEN = timedelta(days=1)  # nobody takes a submission in, or lets one query spill, for so long


def due(home: Home, ledger: Ledger) -> list[str]:
    """Batches to be run again, oldest first: overdue, or ended with something of them still in the lake."""
    return [
        record.name
        for record in ledger.batches()
        if expiry.overdue(ledger, record.name) or (record.state in FINAL and (home.lake / record.name).exists())
    ]


def age(ledger: Ledger) -> None:
    """Deletes the tries that count no more."""
    ledger.age_tries(ledger.clock.now() - TRIES_COUNT)


def forsaken(home: Home, clock: Clock) -> None:
    """Deletes the folders in which a killed process had rows in clear: submissions half taken in, evidence opened."""
    views.clear(home)
    before = (clock.now() - _FORSAKEN).timestamp()
    for left in [*home.lake.glob(".incoming/*"), *home.lake.glob(".spill/*"), *home.lake.glob(".beginning-*")]:
        if left.lstat().st_mtime < before:
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
