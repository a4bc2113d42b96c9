"""A folder in the lake for what is opened as plaintext, for as long as it is read (see `pipelines.held`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.home import Home
from pipelines.held import clear, held

_PREFIX = ".view-"


@contextmanager
def plaintext_folder(home: Home) -> Iterator[Path]:
    """A new folder (0700), empty, deleted at the end; first, those that killed processes left are deleted."""
    home.lake.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(home.lake, _PREFIX) as folder:
        yield folder


def delete_left_folders(home: Home) -> None:
    """Deletes the folders of processes that are gone."""
    clear(home.lake, _PREFIX)
