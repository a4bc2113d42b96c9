"""A file system whose power can be cut, and how often an action makes something durable.

ext4 in a file, mounted by a loop device. Its shutdown ioctl (`EXT4_IOC_SHUTDOWN`, fs/ext4/ext4.h in Linux) ends it
without writing its journal: after the next mount, what was synced is there and what was not is gone. The options keep
the kernel from saving what the program did not ask it to save: no commit by the clock within a test, no flush for a
rename.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import shutil
import struct
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults import acting

_SHUTDOWN, _WITHOUT_ITS_JOURNAL = 0x8004587D, 2
_OPTIONS = "loop,commit=3600,noauto_da_alloc"

# Where something becomes durable, or might only seem to. The ledger's database syncs in C: its commits stand for it.
DURABLE = {
    "before_a_sync": "os:fsync:before",
    "after_a_rename": "os:replace:after",
    "after_a_commit": "sqlalchemy.engine.default:DefaultDialect.do_commit:after",
}


class Disk:
    """Mounted at `path` until `close`; OSError or CalledProcessError where this machine or user may not mount."""

    def __init__(self, folder: Path, megabytes: int = 1024) -> None:
        self.image, self.path = folder / "image", folder / "disk"
        self.path.mkdir()
        with self.image.open("wb") as stream:
            stream.truncate(megabytes * 2**20)
        _do("mkfs.ext4", "-q", "-F", self.image)
        self._mount()

    def cut(self) -> None:
        """The power goes, and comes back."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _WITHOUT_ITS_JOURNAL))
        finally:
            os.close(handle)
        _do("umount", self.path)
        self._mount()

    def save(self) -> None:
        """All that is written so far outlives a cut."""
        _do("sync", "--file-system", self.path)

    def clear(self) -> None:
        for entry in self.path.iterdir():
            if entry.name != "lost+found":
                shutil.rmtree(entry)

    def close(self) -> None:
        _do("umount", self.path)

    def _mount(self) -> None:
        _do("mount", "-o", _OPTIONS, self.image, self.path)


def _do(*command: str | Path) -> None:
    subprocess.run([str(c) for c in command], check=True, capture_output=True, timeout=120)


def counted(action: str, home: str, into: str) -> None:
    """Does an action, and writes how often it came to each point of `DURABLE`: a JSON object."""
    times: Counter[str] = Counter()
    for name, point in DURABLE.items():
        module, path, _ = point.split(":")
        owner: Any = importlib.import_module(module)
        *through, last = path.split(".")
        for part in through:
            owner = getattr(owner, part)
        setattr(owner, last, _counting(getattr(owner, last), times, name))
    getattr(acting, action)(home)
    Path(into).write_text(json.dumps(times))


def _counting(function: Any, times: Counter[str], name: str) -> Any:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        times[name] += 1
        return function(*args, **kwargs)

    return wrapped
