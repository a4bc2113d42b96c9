"""The backups of a home that are made on a schedule: where they lie, how old the newest is, and which may go."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from expectations.base.errors import Usage
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.operations.backup import Made, backup

_NAME = re.compile(r"sluicegate-(\d{8}T\d{12})Z\.backup\.age")


def folder(home: Home) -> Path:
    """Where backups are written. Raises Usage if `backups.folder` of sluicegate.toml names no folder."""
    said = home.config.backups.folder
    if said is None:
        remedy = "Set backups.folder in sluicegate.toml, or give --out."
        raise Usage("NO_BACKUP_FOLDER", "no folder for backups is named", where="backups.folder", remedy=remedy)
    return home.root / said


def take(home: Home, ledger: Ledger) -> Made:
    """Makes a backup in that folder, then deletes all but the newest `backups.keep`. Raises as `backup` does."""
    made = backup(home, ledger, folder(home), [])
    for _, path in list(_found(made.path.parent))[home.config.backups.keep :]:
        if path != made.path:  # a clock that was once wrong may have named older ones later
            path.unlink(missing_ok=True)
    return made


def newest(home: Home) -> datetime | None:
    """When the newest backup there was made; None if there is none, or the folder cannot be read."""
    try:
        return next((at for at, _ in _found(folder(home))), None)
    except OSError:
        return None


def missing(home: Home, now: datetime) -> bool:
    """Whether backups are to be made, and none is younger than `backups.hours`."""
    said = home.config.backups
    if said.folder is None:
        return False
    at = newest(home)  # one of the future vouches for nothing: a clock was wrong
    return at is None or not timedelta(minutes=-1) <= now - at <= timedelta(hours=said.hours)


def _found(place: Path) -> Iterator[tuple[datetime, Path]]:
    """The backups in a folder, by their names; the newest first."""
    for path in sorted(place.iterdir(), reverse=True):
        if (named := _NAME.fullmatch(path.name)) and path.is_file():
            yield datetime.strptime(named[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC), path
