"""What lies in the inbox and is not done: folders with a signed letter, whose signature is put in place last."""

import os
from pathlib import Path

from expectations.base.digests import of_bytes
from flows.batch import unreadable
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import FINAL, State
from pipelines.ingest.submission import SIGNATURE, letter_bytes


def waiting(home: Home) -> list[Path]:
    """Complete submissions whose batch has neither ended nor waits for people; oldest signature first.

    Whatever stands where the signature belongs completes a submission: a link or a pipe there is for `receive` to
    refuse, and must not lie here unseen.
    """
    inside = [f for f in home.inbox.iterdir() if not f.name.startswith(".")]
    found = [folder for folder in inside if os.path.lexists(folder / SIGNATURE)]
    found.sort(key=lambda folder: (stamp(folder), os.fsencode(folder.name)))
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        return [folder for folder in found if not _done(ledger, folder)]


def stamp(folder: Path) -> int:
    """When the signature was written, in nanoseconds; 0 where that cannot be seen."""
    try:
        return (folder / SIGNATURE).lstat().st_mtime_ns
    except OSError:
        return 0


def _done(ledger: Ledger, folder: Path) -> bool:
    digest = of_bytes(letter_bytes(folder))[:12]
    batch, entry = ledger.batch(f"b-{digest}"), ledger.batch(unreadable.name_of(folder))
    if batch:
        return batch.state in FINAL or batch.state is State.HELD
    # the same letter, signed again or with its files fixed, is received again: its signature is put in place anew
    return entry is not None and _changed(folder) <= entry.received_at.timestamp()


def _changed(folder: Path) -> float:
    try:
        return (folder / SIGNATURE).lstat().st_ctime
    except OSError:
        return 0.0
