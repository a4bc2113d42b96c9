"""What is opened as plaintext for as long as somebody looks at it: a folder of its own in the lake (see `locked_folder`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.home import Home
from pipelines.lake.locked_folder import delete_abandoned, locked_folder

_PREFIX = ".view-"


@contextmanager
def view(home: Home) -> Iterator[Path]:
    """A new folder (0700), empty; what killed looks have left goes first."""
    home.lake.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked_folder(home.lake, _PREFIX) as folder:
        yield folder


def clear(home: Home) -> None:
    """Deletes the folders that nobody looks at any more."""
    delete_abandoned(home.lake, _PREFIX)
