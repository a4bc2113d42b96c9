"""Runs batches (or any function of a module, on texts) in forked children that die by SIGKILL where they are told to.

A process of its own, so that it is single-threaded when it forks: `python -m tests.faults.zygote`, commands as JSON
lines on stdin, one answer a line. The libraries are imported once, which makes a crash test cost a second instead of
ten. Nothing in the product knows of this: the child wraps the named function before it begins.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any


def _import_all() -> None:
    # imported before the fork, used after it
    for name in (
        "apache_beam",
        "pipelines.lake.beam",
        "great_expectations",
        "duckdb",
        "expectations.gx.evaluate",
        "flows.batch.advance",
        "flows.batch.receive",
    ):
        importlib.import_module(name)
    from pipelines.lake import beam

    beam.prepare()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(point: str) -> None:
    """`module:attribute:before|after:n`: dies at the n-th call of that function."""
    module_name, attribute, when, nth = point.split(":")
    owner: Any = importlib.import_module(module_name)
    *path, name = attribute.split(".")
    for part in path:
        owner = getattr(owner, part)
    original, left = getattr(owner, name), [int(nth)]

    @functools.wraps(original)  # Beam reads the types of what it is given
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        deadly = left[0] == 0  # this call, whatever other threads have called until it returns
        if deadly and when == "before":
            _kill()
        result = original(*args, **kwargs)
        if deadly and when == "after":
            _kill()
        return result

    setattr(owner, name, wrapped)


def _run(home: str, what: str) -> None:
    from expectations.base.clock import Clock
    from flows.batch.advance import advance
    from flows.batch.receive import receive
    from flows.batch.steps import BatchSteps
    from flows.home.tree import alone, open_home
    from flows.ledger import Ledger

    opened = open_home(Path(home))
    with Ledger.open(opened.ledger_url, Clock()) as ledger:
        name = receive(opened, ledger, Clock(), Path(what)) if Path(what).is_dir() else what
        with alone(opened, name):
            advance(BatchSteps(opened, ledger, name))


def _child(command: dict[str, Any]) -> None:
    try:
        if command.get("kill"):
            _arm(command["kill"])
        if command.get("alarm"):
            signal.signal(signal.SIGALRM, lambda *_: _kill())
            signal.setitimer(signal.ITIMER_REAL, command["alarm"])
        if "call" in command:
            module, name = command["call"].split(":")
            getattr(importlib.import_module(module), name)(*command["arguments"])
        else:
            _run(command["home"], command["what"])
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def main() -> None:
    _import_all()
    print("ready", flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        children = []
        for _ in range(command.get("times", 1)):
            pid = os.fork()
            if pid == 0:
                _child(command)
            children.append(pid)
        statuses = [os.waitpid(pid, 0)[1] for pid in children]
        print(json.dumps([-os.WTERMSIG(s) if os.WIFSIGNALED(s) else os.WEXITSTATUS(s) for s in statuses]), flush=True)


if __name__ == "__main__":
    main()
