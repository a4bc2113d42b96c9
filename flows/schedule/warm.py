"""A process that has imported what a batch needs, and forks a child for each run that `flows.schedule.engine` asks for:
a run begins at once, and one that dies takes no other with it. While nothing runs, one child stands by (see `standby`).

`python -m flows.schedule.warm [--for-parent]`: for the home that SLUICEGATE_HOME names. One thread of ours, no
connection, no open database: only such a process can be forked safely. SIGTERM ends it once its children have ended; so
does, with `--for-parent`, the end of its input. A run whose starter is gone is killed.
"""

import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from flows.home.tree import Home, open_home
from flows.schedule import preload, server
from flows.schedule.engine import SOCKET, connect
from flows.schedule.standby import PATIENCE, Run, Standby, awaited, received, take

_FOR_PARENT = "--for-parent"
_SIGNALS = (signal.SIGTERM, signal.SIGCHLD)


def answers(home: Home) -> bool:
    """Whether a warm process serves this home."""
    answering = connect(home.root / "prefect")
    if answering is not None:
        answering.close()
    return answering is not None


@contextmanager
def kept(home: Home) -> Iterator[None]:
    """A warm process answers for this home, one of our own if none did; ours ends with us. Should it die at once, runs
    begin from scratch, and are slower."""
    if answers(home):
        yield
        return
    command = [sys.executable, "-m", "flows.schedule.warm", _FOR_PARENT]
    environment = {**os.environ, "SLUICEGATE_HOME": str(home.root)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, start_new_session=True) as process:
        while process.poll() is None and not answers(home):
            time.sleep(0.1)
        yield


class Warm:
    """The children: the number of each, and the connection of its starter as long as that lives. `ready`: what a child
    does that stands by."""

    def __init__(self, listening: socket.socket, wake: socket.socket, ready: Callable[[], None]) -> None:
        self.listening, self.wake, self.ready = listening, wake, ready
        self.children: dict[int, socket.socket | None] = {}
        self.standby: Standby | None = None
        self.wanted = True  # one that stands by; not after one that died so
        self.ending = False

    def serve(self, parent: int | None) -> Run | None:
        """Answers until it is to end and no child is left. Returns twice: in a child, what it is to run."""
        while self.children or self.standby or not self.ending:
            if self.wanted and not self.children and not self.ending and (asked := self._stand_by()):
                return asked
            waited: list[Any] = [self.wake, *filter(None, self.children.values())]
            waited += [] if self.ending else [self.listening, *([parent] if parent is not None else [])]
            ready = select.select(waited, [], [])[0]
            if self.wake in ready:
                self._woken()
            for child, starter in list(self.children.items()):
                if starter and starter in ready:  # it says nothing more: it is gone
                    self.children[child] = None
                    starter.close()
                    _kill(child)
            if parent in ready and not os.read(parent or 0, 1):
                self.ending = True
            if self.ending and self.standby:
                self.standby.dismiss()
            if self.listening in ready and not self.ending and (asked := self._asked()):
                return asked
        return None

    def _woken(self) -> None:
        """A signal came: a child has ended, or we are to end."""
        numbers = self.wake.recv(1024)
        self.ending = self.ending or signal.SIGTERM in numbers
        if self.standby and os.waitpid(self.standby.child, os.WNOHANG)[0]:
            self.standby.dismiss()
            self.standby = None
        for child, starter in list(self.children.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                del self.children[child]
                self.wanted = self.standby is None
                if starter:
                    _say(starter, os.waitstatus_to_exitcode(status))
                    starter.close()

    def _stand_by(self) -> Run | None:
        """Forks a child ahead; in it, gives what it is to run once that is known."""
        self.wanted = False
        here, there = socket.socketpair()
        child = _forked()
        if child == 0:
            here.close()
            self._leave()
            self.ready()
            return awaited(there)
        there.close()
        self.standby = Standby(child, here)
        return None

    def _asked(self) -> Run | None:
        """Has a child for whoever asks, the one that stands by or a new one; in it, gives what it is to run."""
        starter, _ = self.listening.accept()
        try:
            asked, given = _read(starter)
        except (OSError, ValueError, TypeError):
            starter.close()
            return None
        child = self._standing_by(asked, given) or _forked()
        if child == 0:
            self._leave(starter)
            take(given)
            return asked
        for one in given:
            os.close(one)
        self.children[child] = starter
        _say(starter, child)
        return None

    def _standing_by(self, asked: Run, given: list[int]) -> int | None:
        """The number of the child that stood by, and now runs this; None if there is none that could be told."""
        standby, self.standby = self.standby, None
        if standby is None or standby.given(asked, given):
            return standby.child if standby else None
        self.children[standby.child] = None
        _kill(standby.child)
        return None

    def _leave(self, starter: socket.socket | None = None) -> None:
        """In a child: nothing is left of the parent's."""
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        for one in filter(None, (self.listening, self.wake, starter, *self.children.values())):
            one.close()


def _forked() -> int:
    """Forks a child in a session of its own: its number, and 0 in it. Until the child has left what is the parent's
    behind it, a signal waits: the parent would take it for its own."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    child = os.fork()
    if child == 0:
        os.setsid()
    else:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return child


def _read(starter: socket.socket) -> tuple[Run, list[int]]:
    """What a starter wants, with its input and outputs; raises PermissionError if it is another user's."""
    starter.settimeout(PATIENCE)
    _, user, _ = struct.unpack("3i", starter.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if user != os.getuid():
        raise PermissionError
    asked = received(starter)
    starter.settimeout(None)
    return asked


def _kill(child: int) -> None:
    """Kills a child, which is not reaped yet, so that the number is its own, with all that it has started. It may not
    have made its session yet."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)


def _say(starter: socket.socket, number: int) -> None:
    with suppress(OSError):  # it is gone: the next look finds that
        starter.sendall(f"{number}\n".encode())


@contextmanager
def _listening(folder: Path) -> Iterator[socket.socket]:
    """A socket in `folder`, for this user only; one that a dead process left is replaced."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with socket.socket(socket.AF_UNIX) as place:
        before, mask = Path.cwd(), os.umask(0o177)
        os.chdir(folder)
        Path(SOCKET).unlink(missing_ok=True)
        place.bind(SOCKET)
        os.umask(mask)
        os.chdir(before)
        place.listen()
        yield place


def _become(asked: Run) -> None:
    """Runs it, in a child, as `python -m` would; the command line as it was loaded."""
    from prefect.context import refresh_global_settings_context

    os.environ.clear()
    os.environ.update(asked.environment)
    os.chdir(asked.folder)
    refresh_global_settings_context()  # read when Prefect was imported, from another environment
    module, *arguments = asked.run
    sys.argv = [module, *arguments]
    if module == preload.COMMANDS:
        sys.modules[module].main()
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Serves the home; ends as the module does that a child has run."""
    home = open_home()
    server.configure(home)
    parent = sys.stdin.fileno() if _FOR_PARENT in sys.argv else None
    here, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, _noted)
    preload.load()
    with _listening(home.root / "prefect") as listening:
        asked = Warm(listening, here, partial(preload.stand_by, home)).serve(parent)
    if asked:
        _become(asked)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The signal's number stands in the wakeup pipe."""


if __name__ == "__main__":
    main()
