"""A folder in the lake for what is opened as plaintext, for as long as it is read (see `lake.locked_folder`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.home.tree import Home
from pipelines.lake.workplace import delete_abandoned, locked_folder

_PREFIX = ".view-"


@contextmanager
def plaintext_folder(home: Home) -> Iterator[Path]:
    """A new folder (0700), empty, deleted at the end; first, those that killed processes left are deleted."""
    home.lake.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked_folder(home.lake, _PREFIX) as folder:
        yield folder


def delete_left_folders(home: Home) -> None:
    """Deletes the folders of processes that are gone."""
    delete_abandoned(home.lake, _PREFIX)
