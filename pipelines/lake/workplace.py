"""Folders in which a process has plaintext rows, or a file that is not whole yet, for as long as it works: deleted at
the end.

Whoever works has a lock on the folder, which the system releases when the process ends, however that happens. So what a
killed process abandoned is known as that, and is deleted when the next one begins beside it.
"""

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from expectations.base.errors import BadInput

_NAME = re.compile("[0-9a-f]{32}")  # ours alone: a person may have a folder that begins like ours


@contextmanager
def locked_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent` (0700), empty, whose name begins with `prefix`; raises OSError if it cannot be made."""
    delete_abandoned(parent, prefix)
    folder, lock = _begun(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _begun(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new folder, and the descriptor that holds its lock."""
    while True:
        folder = parent / f"{prefix}{uuid.uuid4().hex}"
        folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):  # somebody took it for abandoned before it was locked
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _ours(parent: Path, prefix: str) -> list[Path]:
    with suppress(OSError):  # there is no such folder
        begun = [path for path in parent.iterdir() if path.name.startswith(prefix)]
        return [path for path in begun if _NAME.fullmatch(path.name[len(prefix) :])]
    return []


def delete_abandoned(parent: Path, prefix: str) -> None:
    """Deletes the folders in which nobody works any more."""
    for folder in _ours(parent, prefix):
        with suppress(OSError):  # somebody else was faster, or is at work
            lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def occupied(parent: Path) -> bool:
    """Whether somebody works in such a folder there."""
    for folder in (path for path in parent.iterdir() if _NAME.fullmatch(path.name[-32:]) and path.is_dir()):
        with suppress(FileNotFoundError):  # it is done
            lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(lock)
    return False


@contextmanager
def workplace(out: Path, source: Path, name: str) -> Iterator[Path]:
    """A folder of our own (0700, `.name-…`) beside `out`, removed at the end: what is made there is moved to `out`,
    whole. Such folders that a killed process abandoned there are deleted, too. Raises BadInput if `out` cannot stand
    where it is named: UNKNOWN_FORMAT, NOT_A_FILE, SAME_FILE (it would replace `source`), OUT_UNWRITABLE."""
    if out.suffix not in (".csv", ".parquet"):
        raise _bad(
            out, "UNKNOWN_FORMAT", "it is written as CSV or Parquet", "Name a file that ends in .csv or .parquet."
        )
    if out.is_dir():
        raise _bad(out, "NOT_A_FILE", "a folder stands where the file goes", "Name a file.")
    if out.exists() and source.exists() and out.samefile(source):
        raise _bad(out, "SAME_FILE", "it would replace the file that is read", "Name another.")
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(locked_folder(out.parent, f".{name}-"))
        except OSError:
            message = "its folder is missing or cannot be written to"
            raise _bad(out, "OUT_UNWRITABLE", message, "Name a file in a folder of yours.") from None
        yield folder


def _bad(out: Path, code: str, message: str, remedy: str) -> BadInput:
    return BadInput(code, message, where=out.name, remedy=remedy)
