"""Lines that wait for another system: each process appends its own to a file of the home, in the form of the JSON log,
and `flows.operations.delivery` sends them. A process that is killed leaves whole lines.

A file belongs to whoever holds its lock: it is deleted once its process is gone and all of it was delivered.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

FOLDER = "log"  # in the home


class Spool(logging.Handler):
    """Appends each line to this process's file in `folder`, which is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.INFO)
        self.folder, self._process, self._file = folder, 0, None

    _file: BinaryIO | None

    def emit(self, record: logging.LogRecord) -> None:
        """Without a buffer: what was logged is there, also if the process ends now. A full disk stops nothing."""
        try:
            if self._file is None or self._process != os.getpid():  # a forked process has a file of its own
                self._file, self._process = _made(self.folder), os.getpid()
            self._file.write(f"{self.format(record)}\n".encode())
        except OSError:
            return

    def close(self) -> None:
        """Whoever delivers may delete the file then."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file = None
        super().close()


def _made(folder: Path) -> BinaryIO:
    """A new file, locked before anybody else sees it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{time.time_ns():020d}-{os.getpid()}"
    made = open(folder / f".{name}", "ab", buffering=0, opener=lambda path, flags: os.open(path, flags, 0o600))  # noqa: SIM115
    fcntl.flock(made, fcntl.LOCK_EX)
    (folder / f".{name}").rename(folder / f"{name}.jsonl")
    return made


def files(folder: Path) -> list[Path]:
    """What there is, by when each process began to write."""
    return sorted(folder.glob("*.jsonl"))


def lines(path: Path, offset: int) -> Iterator[tuple[int, bytes]]:
    """The whole lines from there on, each with where it ends."""
    with path.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if line.endswith(b"\n"):
                offset += len(line)
                yield offset, line[:-1]


def delete_ended(path: Path, offset: int) -> bool:
    """Deletes a file whose process is gone, if nothing whole lies in it after `offset`."""
    with path.open("rb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if next(lines(path, offset), None) is None:
            path.unlink()
            return True
    return False
