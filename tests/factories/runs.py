"""Batches run in this process, without Prefect: for tests of what becomes of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from expectations.base import signatures
from expectations.base.clock import Clock
from flows.batch.advance import advance
from flows.batch.decisions import sign
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.states import State
from tests.factories import installations
from tests.factories.installations import Installation

NOBODY = {"first_name": "Ottoline", "last_name": "Vandersloot", "tin": None, "birth_date": "1944-11-30"}


@contextmanager
def ledger_of(home: Home, clock: Clock | None = None) -> Iterator[Ledger]:
    with Ledger.open(home.ledger_url, clock or Clock()) as ledger:
        yield ledger


def work(home: Home, ledger: Ledger, name: str) -> BatchSteps:
    return BatchSteps(home, ledger, name)


def run(home: Home, what: Path | str, clock: Clock | None = None) -> tuple[str, State]:
    """Runs a submission, or a batch, until it is released, held or refused; gives its name and state."""
    with ledger_of(home, clock) as ledger:
        name = receive(home, ledger, ledger.clock, what) if isinstance(what, Path) else what
        return name, advance(work(home, ledger, name))


def released(installation: Installation, folder: Path, first: int, last: int) -> str:
    """The name of a batch that was published: these persons, and two rows that find nobody."""
    lost = [
        installations.request(70 + n, request_id=f"N-{first}-{n}", street=f"{n} Elsewhere Rd", **NOBODY) for n in (1, 2)
    ]
    rows = [*(installations.request(n) for n in range(first, last + 1)), *lost]
    name, state = run(installation.home, installation.submit(folder, rows))
    assert state is State.PUBLISHED
    return name


def held(installation: Installation, folder: Path, mark: str = "H") -> str:
    """The name of a batch that is held for its share of incomplete addresses."""
    rows = [installations.request(n, request_id=f"{mark}-{n}", street="NA NA") for n in range(1, 5)]
    name, state = run(installation.home, installation.submit(folder, rows))
    assert state is State.HELD
    return name


def rejected(installation: Installation, folder: Path) -> str:
    """The name of a batch that one person rejected."""
    name = held(installation, folder, "R")
    sign(installation.home, name, Decision.REJECT, signatures.load(installation.home.keys / "operator-1"))
    assert run(installation.home, name)[1] is State.REJECTED
    return name


def copy(home: Home, target: Path) -> Home:
    """A copy of what is kept in a home, with nothing in flight."""
    shutil.copytree(
        home.root, target, ignore=shutil.ignore_patterns("register", "prefect", "inbox"), copy_function=shutil.copy
    )
    for folder in ("register", "prefect", "inbox"):
        (target / folder).mkdir()
    return open_home(target)


def at(day: str) -> Clock:
    """A clock that stands at noon, UTC, of a day."""
    return Clock(datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC), pretended=True)


def flip(path: Path, place: int = -1) -> None:
    """Changes one bit of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    mode = path.stat().st_mode
    path.write_bytes(bytes(data))
    path.chmod(mode)
