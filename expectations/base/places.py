"""Where a secret lies, so that nothing that is handed on, shown or kept need hold it. The one place that knows the ways
and that reads them: a secret of the configuration, or a key of the holder."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from expectations.base.errors import Usage

_SECONDS = 30  # for a command
_MINUTE = 60  # so long what a command printed is remembered: each part of a batch, and each request, needs a key
_printed: dict[tuple[str, ...], tuple[float, bytes]] = {}
MISSING = "KEY_MISSING"  # the code of a key that is not there, or not for whoever runs this
RESTORE = "Restore it from a backup: no other key can take its place."


class Form(StrEnum):
    """A way in which a secret is kept."""

    FILE = "file"
    CREDENTIAL = "credential"  # of systemd: a file in $CREDENTIALS_DIRECTORY
    ENV = "env"
    COMMAND = "command"  # no shell; what it prints


@dataclass(frozen=True)
class Place:
    """Where it lies. `words`: a path, a name, or the words of a command, which are not shown: they may say too much."""

    form: Form
    words: tuple[str, ...] = field(repr=False)

    @classmethod
    def file(cls, path: Path) -> Place:
        """A file, wherever whoever reads it stands."""
        return cls(Form.FILE, (str(path.absolute()),))

    @property
    def shown(self) -> str:
        """As it may be shown: of a command its program only."""
        return f"{self.form} {self.words[0]}"

    @property
    def name(self) -> str:
        """As errors name it: of a file without its folder."""
        return Path(self.words[0]).name if self.form is Form.FILE else self.shown

    @property
    def path(self) -> Path | None:
        """The file, if it is one of this home's or machine's."""
        return Path(self.words[0]) if self.form is Form.FILE else None

    def read(self, closed_to: int) -> bytes:
        """What lies there. `closed_to`: mode bits that a file must not have; then it raises Exposed. Raises OSError,
        KeyError or SubprocessError if nothing can be read."""
        match self.form:
            case Form.FILE:
                return _file(Path(self.words[0]), closed_to)
            case Form.CREDENTIAL:  # which systemd lets nobody else read
                return (Path(os.environ["CREDENTIALS_DIRECTORY"]) / self.words[0]).read_bytes()
            case Form.ENV:
                return os.environb[os.fsencode(self.words[0])]
            case Form.COMMAND:
                return _run(self.words)
            case never:
                assert_never(never)

    def read_key(self) -> bytes:
        """A key of the holder: the one way in which any is read. Raises Usage if it is missing (KEY_MISSING) or, as a
        file, can be read by others (KEY_EXPOSED). What a command printed is remembered for a minute."""
        try:
            return _remembered(self.words) if self.form is Form.COMMAND else self.read(closed_to=0o077)
        except Exposed:
            what = "a key of the holder can be read by others"
            raise Usage("KEY_EXPOSED", what, where=self.name, remedy="chmod 600 it.") from None
        except (OSError, KeyError, subprocess.SubprocessError):
            what = "a key of the holder is missing, or cannot be read"
            raise Usage(MISSING, what, where=self.name, remedy=RESTORE) from None


class Exposed(Exception):
    """A file that others can read."""


def _file(path: Path, closed_to: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise OSError
    with os.fdopen(handle, "rb") as stream:
        if mode & closed_to:
            raise Exposed
        return stream.read()


def _remembered(words: tuple[str, ...]) -> bytes:
    now = time.monotonic()
    at, said = _printed.get(words, (now - _MINUTE, b""))
    if now - at >= _MINUTE:
        said = _run(words)
        _printed[words] = (now, said)
    return said


def _run(words: tuple[str, ...]) -> bytes:
    return subprocess.run(words, capture_output=True, timeout=_SECONDS, check=True).stdout
