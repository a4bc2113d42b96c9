"""Watching without a server: each submission is started once it is complete, and each batch once it can go on (people
have decided, or a halt has ended), a bounded number at a time; again after a pause if nothing came of it. Every batch
runs in a process of its own (`sluicegate run`, forked from a warm one), so that one that dies takes no other with it;
they share one Prefect server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

from expectations.base.errors import DONE, HELD, REFUSED, BadInput, Transient, Usage
from flows.home.tree import Home
from flows.operations import delivery
from flows.schedule import server, warm
from flows.schedule.due import Due, due
from flows.schedule.relay import Relay
from flows.schedule.started import Started
from flows.schedule.word import Word

_TICK = 0.5  # seconds
_ENDS = {DONE: "released", HELD: "held", REFUSED: "refused", BadInput.exit_code: "unreadable"}
_FAILED = "failed; if that does not pass by itself, fix the cause, then run it again"


class Watch:
    """The running batches, by name."""

    def __init__(self, home: Home, at_once: int) -> None:
        self.home, self.at_once = home, at_once
        self.running: dict[str, tuple[Due, subprocess.Popen[bytes]]] = {}
        self.started, self.word = Started(), Word(home)
        self.stopping = False
        self.lacking = ""  # what is out of reach, by its code

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Starts nothing more; what runs, ends."""
        self.stopping = True

    def step(self) -> bool:
        """Collects what ended, starts what waits; True while there is something to do."""
        self._collect()
        if len(self.running) >= self.at_once:
            return True  # nothing could be started: what runs has the processors
        found = [] if self.stopping else [one for one in due(self.home) if self.started.wanted(one)]
        for one in found:
            if len(self.running) >= self.at_once:
                break
            if one.batch not in self.running:
                self._start(one)
        self.word.step()
        return bool(self.running) or bool(found)

    def _start(self, one: Due) -> None:
        self.started.note(one)
        env = {**os.environ, "SLUICEGATE_HOME": str(self.home.root)}
        command = [sys.executable, "-m", "flows.schedule.engine", "flows.cli.main", "run", one.id, "--json"]
        # its own session: a Ctrl-C at the terminal reaches us only, and the batch goes on; its errors go to our stderr
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
        self.running[one.batch] = (one, process)
        print(f"{one.shown}: started", flush=True)

    def _collect(self) -> None:
        for batch, (one, process) in list(self.running.items()):
            code = process.poll()
            if code is not None:
                del self.running[batch]
                print(f"{one.shown}: {_ENDS.get(code, _FAILED)}", flush=True)


def relay(home: Home, *, every: float, once: bool) -> int:
    """Tells a Prefect server what happens, until stopped, or, with `once`, what is new now. Returns the exit code.
    Raises Usage if no server is named."""
    server.configure(home)
    if not os.environ.get("PREFECT_API_URL"):
        raise Usage("NO_SERVER", "no server is named", remedy="Set PREFECT_API_URL, or leave --emit out.")
    keeper, teller = Watch(home, 1), Relay(home)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, keeper.stop)
    print(f"telling {os.environ['PREFECT_API_URL']} of {home.root}", flush=True)
    with delivery.kept(home):
        while True:
            if told := _patiently(keeper, teller.step, once=once):
                print(f"{told} events", flush=True)
            if once or keeper.stopping:
                break
            _pause(keeper, every)
    return DONE


def _patiently(keeper: Watch, step: Callable[[], int], *, once: bool) -> int:
    """One step. What it needs may be out of reach for a while: that is said once, and the next one tries again; with
    `once`, where there is no next one, it is raised."""
    try:
        done, keeper.lacking = step(), ""
        return done
    except Transient as error:
        if once:
            raise
        if keeper.lacking != error.code:
            print(f"{error} Waiting.", file=sys.stderr, flush=True)
        keeper.lacking = error.code
        return len(keeper.running)


def watch(home: Home, *, at_once: int, every: float, once: bool) -> int:
    """Watches until stopped (SIGINT, SIGTERM), or, with `once`, until nothing new waits. Returns the exit code."""
    keeper = Watch(home, at_once)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, keeper.stop)
    wait = server.start(home)  # the server that all batches share; a Ctrl-C here does not reach it
    with warm.kept(home), delivery.kept(home):
        wait()
        print(f"watching {home.inbox}", flush=True)
        while _patiently(keeper, keeper.step, once=once) or not (keeper.stopping or once):
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
