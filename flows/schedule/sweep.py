"""What no run comes back to by itself: overdue batches, ends that a crash cut short, plaintext of killed processes."""

import shutil
from datetime import timedelta

from expectations.base.clock import Clock
from flows.batch import expiry, tries
from flows.batch.receive import INCOMING
from flows.evidence.store import delete_left_folders
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import FINAL, OPEN
from pipelines.lake import workplace

_ABANDONED = timedelta(days=1)  # no query spills for so long


def due(home: Home, ledger: Ledger) -> list[str]:
    """Batches to be run again, oldest first: overdue, or ended with something of them still in the lake."""
    found = [record for record in ledger.batches(*OPEN) if expiry.overdue(ledger, record.name)]
    there = (ledger.batch(path.name) for path in home.lake.iterdir() if path.is_dir())
    found += [record for record in there if record is not None and record.state in FINAL]
    return [record.name for record in sorted(found, key=lambda one: (one.received_at, one.name))]


def age_tries(ledger: Ledger) -> None:
    """Deletes the tries that no longer count under any agreement that was ever enrolled."""
    ledger.age_tries(ledger.clock.now() - tries.longest(ledger))


def delete_abandoned(home: Home, clock: Clock) -> None:
    """Deletes plaintext that a killed process left: submissions half taken in, opened evidence, spilled queries."""
    delete_left_folders(home)
    workplace.delete_abandoned(home.lake, INCOMING)
    before = (clock.now() - _ABANDONED).timestamp()
    for left in home.lake.glob(".spill/*"):
        if left.lstat().st_mtime < before:
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
