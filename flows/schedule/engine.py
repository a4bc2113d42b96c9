"""What starts a run in a process of its own: forked from the warm process of the home if one answers, or from scratch.

`python -m flows.schedule.engine [MODULE [ARGUMENT …]]` runs that module as `python -m` would; without one, the flow run
that Prefect's worker asks for in the environment. It imports nothing that takes time. The run lives as long as this
process does, and ends with the same exit code, or by the same signal.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

SOCKET = "warm.sock"
_PREFECT = "prefect.engine"


def main(arguments: Sequence[str]) -> int:
    """Runs it; returns its exit code, or dies by the signal that it died by."""
    wanted = list(arguments) or [_PREFECT]
    home = os.environ.get("SLUICEGATE_HOME")
    answering = connect(Path(home) / "prefect") if home else None
    said = _hand_over(answering, wanted) if answering else None
    if said is None:
        os.execv(sys.executable, [sys.executable, "-m", *wanted])
    code = _await(*said)
    if code < 0:
        if -code not in (signal.SIGKILL, signal.SIGSTOP):  # whose way nobody may change
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def connect(folder: Path) -> socket.socket | None:
    """A connection to the warm process whose socket lies in `folder`; None if none answers."""
    place, here = socket.socket(socket.AF_UNIX), os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)  # the address of a socket may not be longer than 107 bytes: a path may
        place.connect(SOCKET)
    except OSError:
        place.close()
        return None
    finally:
        os.fchdir(here)
        os.close(here)
    return place


def _hand_over(answering: socket.socket, wanted: list[str]) -> tuple[int, TextIO] | None:
    """Hands over what to run, in which environment and folder, and our own input and outputs. Gives the process that
    runs it, and what will tell of its end; None if the warm process has started none."""
    asked = {"run": wanted, "environment": dict(os.environ), "folder": str(Path.cwd())}
    with answering, suppress(OSError):
        socket.send_fds(answering, [b"!"], [0, 1, 2])
        answering.sendall(json.dumps(asked).encode() + b"\n")
        said = answering.makefile("r")
        if child := said.readline():
            return int(child), said
    return None


def _await(child: int, said: TextIO) -> int:
    """The exit code of the run, once it has ended. If the warm process dies, so does the run: nobody would know how it
    ends."""

    def pass_on(number: int, _frame: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    with suppress(OSError):
        if code := said.readline():
            return int(code)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
