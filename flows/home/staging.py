"""Where a file that was sealed anew waits until the ledger knows its digest: in a folder of its own beside those that
count, on the same volume. What waits and is not what the ledger knows was left by a killed process, and counts for
nothing."""

from contextlib import suppress
from pathlib import Path

from flows.home.tree import Home
from pipelines.lake import durable

LOCK = "reseal"  # whoever has it seals anew, makes a backup, or puts another age key in its place
FOLDER = ".anew"
ROOTS = ("accounting", "evidence", "corrections", "recalls", "lookback")


def waiting(home: Home, path: Path) -> Path:
    """Where the file waits that is to take the place of `path`."""
    if path.is_relative_to(home.keys):
        return home.keys / FOLDER / path.relative_to(home.keys)
    root, *rest = path.relative_to(home.root).parts
    return home.root / root / FOLDER / Path(*rest)


def made(home: Home, path: Path) -> Path:
    """The same, with its folder (0700)."""
    new = waiting(home, path)
    new.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return new


def folders(home: Home) -> list[Path]:
    """Where anything may wait."""
    found = [home.keys / FOLDER, *(home.root / root / FOLDER for root in ROOTS)]
    return [folder for folder in found if folder.is_dir()]


def all_waiting(home: Home) -> list[Path]:
    """Every file that waits: nothing does unless somebody seals anew, or was killed at it."""
    return [path for folder in folders(home) for path in folder.rglob("*") if path.is_file()]


def sync(home: Home) -> None:
    """All that waits is on the disk, by its name."""
    for folder in folders(home):
        durable.folder(folder)


def put(home: Home, path: Path) -> None:
    """Puts what waits for this place there, if anything does."""
    new = waiting(home, path)
    if new.exists():
        new.replace(path)
        durable.fsync(path.parent)


def tidy(home: Home) -> None:
    """Takes the folders away in which nothing waits. The caller has the lock."""
    for folder in folders(home):
        for inner in (*sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True), folder):
            with suppress(OSError):  # something waits in it
                inner.rmdir()
