"""What is opened in clear for as long as somebody looks at it: a folder of its own in the lake (see `pipelines.held`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.home import Home
from pipelines.held import clear as clear_held
from pipelines.held import held

_PREFIX = ".view-"


@contextmanager
def view(home: Home) -> Iterator[Path]:
    """A new folder (0700), empty; what killed looks have left goes first."""
    home.lake.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(home.lake, _PREFIX) as folder:
        yield folder


def clear(home: Home) -> None:
    """Deletes the folders that nobody looks at any more."""
    clear_held(home.lake, _PREFIX)
