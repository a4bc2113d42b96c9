"""The rows of a batch's evidence, opened in memory for who looks at single rows of it: no plaintext touches a disk, and
the next look at the same batch need not open it again. One batch is held at a time, for a few minutes, and none that is
larger than `MOST`."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines import sealing

MOST = 256 * 1024 * 1024  # bytes of memory
SECONDS = 300.0  # unused for so long, it is let go
_lock = threading.Lock()


class _Held:
    """What is open: of which sealed file, as which descriptor."""

    def __init__(self) -> None:
        self._of: tuple[object, ...] | None = None
        self._fd = -1
        self._timer = threading.Timer(0, self.drop)

    def drop(self) -> None:
        """Lets it go, once nobody reads it."""
        with _lock:
            self._close()

    def path(self, sealed: Path, identity: sealing.Identity) -> Path:
        """Where this process reads it. `_lock` is held. Raises as `sealing.open_file`."""
        stat = sealed.stat()
        of = (sealed, stat.st_ino, stat.st_mtime_ns, stat.st_size, identity.recipient)
        if of != self._of:
            self._close()
            self._fd = os.memfd_create("evidence", os.MFD_CLOEXEC)
            with sealing.opened_stream(sealed, identity) as stream, open(self._fd, "wb", closefd=False) as memory:
                shutil.copyfileobj(stream, memory, 1 << 20)
            self._of = of  # only here is it known that nothing is missing
        self._timer.cancel()
        self._timer = threading.Timer(SECONDS, self.drop)
        self._timer.daemon = True
        self._timer.start()
        return Path(f"/proc/self/fd/{self._fd}")

    def _close(self) -> None:
        self._of = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_held = _Held()


def fits(sealed: Path) -> bool:
    """Whether it is held in memory."""
    return sealed.stat().st_size <= MOST


@contextmanager
def opened(sealed: Path, identity: sealing.Identity) -> Iterator[Path]:
    """A sealed file as plaintext in memory, to be read at this path until the block ends; one reader at a time."""
    with _lock:
        yield _held.path(sealed, identity)


def let_go() -> None:
    """Forgets what is held."""
    _held.drop()
