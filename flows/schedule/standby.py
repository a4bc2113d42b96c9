"""A child forked ahead: it has made ready what a batch takes first, and waits for what it is to run.

A batch opens databases in its first half second, and a processor is idle before it comes. The child is asked by the
process that forked it, over a pair of sockets; when that process is gone, it ends.
"""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

PATIENCE = 5.0  # seconds for one side to say all that it has to say


@dataclass(frozen=True)
class Run:
    """What a child is to run, as it was asked for: a module and its arguments."""

    run: list[str]
    environment: Mapping[str, str]
    folder: str


@dataclass(frozen=True)
class Standby:
    """One that waits: its number, and our end of the pair."""

    child: int
    place: socket.socket

    def dismiss(self) -> None:
        """Tells it to end; or forgets one that has ended."""
        self.place.close()

    def given(self, asked: Run, files: Sequence[int]) -> bool:
        """Whether it was told what to run, with which input and outputs: it begins at once."""
        with self.place, suppress(OSError):
            self.place.settimeout(PATIENCE)
            socket.send_fds(self.place, [b"!"], files)
            self.place.sendall(json.dumps(asdict(asked)).encode() + b"\n")
            return True
        return False


def awaited(place: socket.socket) -> Run:
    """In the child: what it is to run, its input and outputs taken. Ends the process if nobody is left to say so: at
    once, for nothing was begun."""
    with place:
        try:
            asked, files = received(place)
        except (OSError, ValueError, TypeError):
            os._exit(0)
    take(files)
    return asked


def received(place: socket.socket) -> tuple[Run, list[int]]:
    """What is said over a connection of what is to be run, with its input and outputs."""
    _, files, _, _ = socket.recv_fds(place, 1, 3)
    place.settimeout(PATIENCE)
    with place.makefile("rb") as said:
        return Run(**json.loads(said.readline())), list(files)


def take(files: Sequence[int]) -> None:
    """Makes these open files the input and outputs of this process."""
    for target, handed in enumerate(files):
        os.dup2(handed, target)
        os.close(handed)
