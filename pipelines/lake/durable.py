"""On the disk when the call returns: what survives a power cut as well as a kill."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.lake.workplace import locked_folder


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write what is to stand at `path`, whole or not at all. What a killed process left of it is deleted."""
    with locked_folder(path.parent, f".{path.name}.") as work:
        yield work / path.name
        fsync(work / path.name)
        (work / path.name).replace(path)
        fsync(path.parent)


def write(path: Path, data: bytes, mode: int = 0o666) -> None:
    """`data` at `path`, whole or not at all. `mode`: what its permissions are, less the umask."""
    with whole(path) as new, os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(data)


def fsync(path: Path) -> None:
    """A file's bytes, or a folder's entries: a rename is durable only then."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folder(place: Path) -> None:
    """All that lies in a folder, whoever wrote it, and the folder's own name in its parent."""
    for inner, _, files in os.walk(place):
        for name in files:
            fsync(Path(inner, name))
        fsync(Path(inner))
    fsync(place.parent)
