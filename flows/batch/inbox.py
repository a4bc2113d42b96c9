"""What lies in the inbox and is not done: folders with a signed letter, whose signature is put in place last; and what
never became one."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from expectations.base.digests import name_of_bytes
from expectations.base.errors import Usage
from flows.batch import unreadable
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import FINAL, State
from pipelines.ingest.submission import LETTER, SIGNATURE, letter_bytes

_REMEMBERED = 100_000  # letters, in a process that looks again and again
_SETTLED = 2_000_000_000  # nanoseconds: a file that changes twice within a tick of its clock looks the same both times


def id_of(folder: Path) -> str:
    """What a submission without a batch is called: by a digest of its folder's name, which somebody else chose."""
    return f"s-{name_of_bytes(os.fsencode(folder.name))[:12]}"


def batch_of(folder: Path) -> str:
    """The name that the batch of a submission has, or will have."""
    return f"b-{name_of_bytes(letter_bytes(folder))[:12]}"


def _remembered(folder: Path) -> str:
    """The same. A letter is read once as long as nothing of it changes: what has ended may lie here for years, and the
    inbox is looked at twice a second."""
    try:
        seen = (folder / LETTER).lstat()
    except OSError:
        return batch_of(folder)
    if time.time_ns() - seen.st_ctime_ns < _SETTLED:
        return batch_of(folder)
    return _read_once(folder, seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


@lru_cache(_REMEMBERED)
def _read_once(folder: Path, *_letter: int) -> str:
    return batch_of(folder)


def find(home: Home, id: str) -> Path:
    """The complete submission of this id in the inbox; raises Usage if there is none."""
    found = next((folder for folder in waiting(home) if id_of(folder) == id), None)
    if found is None:
        remedy = "sluicegate status lists what waits: it may have been read since."
        raise Usage("NO_SUCH_SUBMISSION", "no complete submission of this id is in the inbox", remedy=remedy)
    return found


def waiting(home: Home) -> list[Path]:
    """Complete submissions whose batch has neither ended nor waits for people; oldest signature first."""
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        return waiting_by(ledger, home)


def waiting_by(ledger: Ledger, home: Home) -> list[Path]:
    """The same, by a ledger that is open.

    Whatever stands where the signature belongs completes a submission: a link or a pipe there is for `receive` to
    refuse, and must not lie here unseen.
    """
    found = [path for path in _inside(home.inbox) if os.path.lexists(path / SIGNATURE)]
    found.sort(key=lambda folder: (stamp(folder), os.fsencode(folder.name)))
    names = {folder: _remembered(folder) for folder in found}
    batches = ledger.named(names.values())
    unread = {folder: unreadable.name_of(folder) for folder, name in names.items() if name not in batches}
    entries = ledger.named(unread.values())
    return [f for f in found if not _done(f, batches.get(names[f]), entries.get(unread.get(f, "")))]


@dataclass(frozen=True)
class Unfinished:
    """Something in the inbox that has no signature: since when nothing of it changes, and whether a letter is there."""

    path: Path
    since: datetime
    has_letter: bool


def unfinished(home: Home, now: datetime) -> list[Unfinished]:
    """What has lain in the inbox without a signature, and has not changed, for `upload_hours`; the oldest first. What
    changed since is still being put there."""
    before = now - timedelta(hours=home.config.upload_hours)
    found = [
        Unfinished(path, since, os.path.lexists(path / LETTER))
        for path in _inside(home.inbox)
        if not os.path.lexists(path / SIGNATURE) and (since := _newest(path)) <= before
    ]
    return sorted(found, key=lambda one: (one.since, os.fsencode(one.path.name)))


def put_aside(home: Home) -> list[Path]:
    """The unreadable submissions that were moved aside and are still there."""
    aside = home.inbox / unreadable.ASIDE
    return sorted(_inside(aside)) if aside.is_dir() and not aside.is_symlink() else []


def _inside(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _newest(path: Path) -> datetime:
    """When anything of it changed last, however deep; links are not followed. What cannot be looked at is old."""
    return datetime.fromtimestamp(max(_changes(path), default=0.0), UTC)


def _changes(path: Path) -> Iterator[float]:
    try:
        yield path.lstat().st_ctime
        if path.is_dir() and not path.is_symlink():
            for inner in path.iterdir():
                yield from _changes(inner)
    except OSError:
        return


def stamp(folder: Path) -> int:
    """When the signature was written, in nanoseconds; 0 where that cannot be seen."""
    try:
        return (folder / SIGNATURE).lstat().st_mtime_ns
    except OSError:
        return 0


def _done(folder: Path, batch: BatchRecord | None, entry: BatchRecord | None) -> bool:
    """Whether nothing is to be done about it. `entry`: of a submission with this letter that could not be read."""
    if batch:
        return batch.state in FINAL or batch.state is State.HELD
    # the same letter, signed again or with its files fixed, is received again: its signature is put in place anew
    return entry is not None and _changed(folder) <= entry.received_at.timestamp()


def _changed(folder: Path) -> float:
    try:
        return (folder / SIGNATURE).lstat().st_ctime
    except OSError:
        return 0.0
