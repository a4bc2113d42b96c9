"""Runs in a process of its own: publishes a batch, and kills itself at the n-th point before or after a durable
step."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import obstore
from sqlalchemy.engine.default import DefaultDialect

from flows.batch import publication
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import State
from tests.factories.law import no_law
from tests.factories.ledgers import accounted, pairs, sha


def context() -> ForkServerContext:
    """Processes that start quickly, from a server that has imported what they need."""
    import multiprocessing

    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([__name__, "psycopg", "sqlalchemy.dialects.sqlite.pysqlite"])
    return found


def process(target: Callable[..., None], *args: Any) -> ForkServerProcess:
    """One of these functions in a process of its own, with the environment of now: the server has that of its own first
    day."""
    return context().Process(target=_in_environment, args=(dict(os.environ), target, *args))


def _in_environment(environment: dict[str, str], target: Callable[..., None], *args: Any) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target(*args)


def finish(
    ledger: Ledger, batch: str, package: Path, outbox: Path | str, keys: list[tuple[str, str]]
) -> publication.Step:
    """What a run does with a batch that is sealed or further."""
    if publication.recover(ledger, batch, outbox) is State.SEALED:
        step = publication.prepare(
            ledger,
            batch,
            keys=keys,
            package=package,
            merkle_root=accounted(ledger, batch),
            content_digest=sha("rows"),
            law=no_law,
        )
        if step.state is not State.PREPARED:
            return step
    return publication.publish(ledger, batch, package=package, outbox=outbox, law=no_law)


def run_and_die(url: str, batch: str, package: Path, outbox: Path | str, point: int) -> None:
    """Finishes a batch, unless `point` comes first."""
    left = point

    def may_die() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def wrapped(step: Callable[..., Any]) -> Callable[..., Any]:
        def deadly(*args: Any, **named: Any) -> Any:
            may_die()
            result = step(*args, **named)
            may_die()
            return result

        return deadly

    with Ledger.open(url) as ledger:
        for owner, name in [
            (DefaultDialect, "do_commit"),
            (Path, "rename"),
            (shutil, "copytree"),
            (shutil, "rmtree"),
            (os, "fsync"),
            (obstore, "put"),
            (obstore, "copy"),
            (obstore, "delete"),
        ]:
            setattr(owner, name, wrapped(getattr(owner, name)))
        finish(ledger, batch, package, outbox, pairs("a", "b"))


def race(url: str, batch: str, package: Path, outbox: Path | str, names: list[str], start: Any) -> None:
    """Finishes a batch at the same time as another process; seals again without the keys that the other one took."""
    with Ledger.open(url) as ledger:
        keys = pairs(*names)
        start.wait()
        step = finish(ledger, batch, package, outbox, keys)
        if step.taken:
            publication.reopen(ledger, batch, outbox)
            ledger.advance(batch, State.SEALED)
            rest = [p for p in keys if p[0] not in step.taken]
            step = finish(ledger, batch, package, outbox, rest)
        os._exit(0 if step.state is State.PUBLISHED else 1)
