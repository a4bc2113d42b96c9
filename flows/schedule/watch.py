"""Watching the inbox: each submission is started once it is complete, never twice, a bounded number at a time. Every
batch runs in a process of its own (`sluicegate run`), so that one that dies takes no other with it; they share one
Prefect server."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from expectations.base.errors import DONE, HELD, REFUSED, BadInput
from flows.batch.unreadable import shown_name
from flows.home.tree import Home
from flows.schedule import server
from flows.schedule.inbox import stamp, waiting

_TICK = 0.5  # seconds
_ENDS = {DONE: "released", HELD: "held", REFUSED: "refused", BadInput.exit_code: "unreadable"}


class Watch:
    """The running batches, by submission folder."""

    def __init__(self, home: Home, at_once: int) -> None:
        self.home, self.at_once = home, at_once
        self.running: dict[Path, subprocess.Popen[bytes]] = {}
        self.seen: set[tuple[Path, int]] = set()  # a submission that failed is not started again until it changes
        self.stopping = False

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Starts nothing more; what runs, ends."""
        self.stopping = True

    def step(self) -> bool:
        """Collects what ended, starts what waits; True while there is something to do."""
        self._collect()
        due = [] if self.stopping else [f for f in waiting(self.home) if self._stamp(f) not in self.seen]
        for folder in due:
            if len(self.running) >= self.at_once:
                break
            if folder not in self.running:
                self._start(folder)
        return bool(self.running) or bool(due)

    def _stamp(self, folder: Path) -> tuple[Path, int]:
        return folder, stamp(folder)

    def _start(self, folder: Path) -> None:
        self.seen.add(self._stamp(folder))
        env = {**os.environ, "SLUICEGATE_HOME": str(self.home.root)}
        command = [sys.executable, "-m", "flows.cli.main", "run", str(folder), "--json"]
        # its own session: a Ctrl-C at the terminal reaches us only, and the batch goes on; its errors go to our stderr
        self.running[folder] = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
        print(f"{shown_name(folder)}: started", flush=True)

    def _collect(self) -> None:
        for folder, process in list(self.running.items()):
            code = process.poll()
            if code is not None:
                del self.running[folder]
                print(
                    f"{shown_name(folder)}: {_ENDS.get(code, 'failed; fix the cause, then run it again')}", flush=True
                )


def watch(home: Home, *, at_once: int, every: float, once: bool) -> int:
    """Watches until stopped (SIGINT, SIGTERM), or, with `once`, until nothing new waits. Returns the exit code."""
    keeper = Watch(home, at_once)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, keeper.stop)
    server.warm_up(home)()  # the server that all batches share; a Ctrl-C here does not reach it
    print(f"watching {home.inbox}", flush=True)
    while keeper.step() or not (keeper.stopping or once):
        _pause(keeper, every)
    print("stopped", flush=True)
    return DONE


def _pause(keeper: Watch, every: float) -> None:
    """Waits until the inbox is read again: not for long while batches run, and no longer once a signal has come."""
    until = time.monotonic() + (min(every, _TICK) if keeper.running else every)
    while not keeper.stopping and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _TICK))
    if keeper.stopping:
        time.sleep(_TICK)  # what runs may take a while to end
