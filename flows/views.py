"""What is opened in clear for as long as somebody looks at it: a folder of its own in the lake, deleted at the end.

Whoever looks holds a lock on the folder, which the system lets go when the process ends, however that happens. So what a killed
process has left is known as that, and goes with the next look.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.home import Home


@contextmanager
def view(home: Home) -> Iterator[Path]:
    """A new folder (0700), empty."""
    clear(home)
    name = uuid.uuid4().hex
    begun, folder = home.lake / f".beginning-{name}", home.lake / f".view-{name}"
    begun.mkdir(parents=True, mode=0o700)
    held = os.open(begun, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        begun.rename(folder)  # seen by others once it is held
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def clear(home: Home) -> None:
    """Deletes the folders that nobody looks at any more."""
    for folder in home.lake.glob(".view-*"):
        with suppress(OSError):  # somebody else was faster, or is looking
            held = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
