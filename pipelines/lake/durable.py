"""On the disk when the call returns: what survives a power cut as well as a kill."""

import os
import uuid
from pathlib import Path


def write(path: Path, data: bytes, mode: int = 0o666) -> None:
    """`data` at `path`, whole or not at all. `mode`: what its permissions are, less the umask."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    fsync(path.parent)


def fsync(path: Path) -> None:
    """A file's bytes, or a folder's entries: a rename is durable only then."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
