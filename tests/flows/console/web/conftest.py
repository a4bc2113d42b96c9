"""One console for a module's tests, with its own installation; each test begins signed out, with full buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from flows.console.web.app import make
from flows.console.web.rate import Rate
from tests.factories import consoles, installations, recalls, runs
from tests.factories.consoles import Browser
from tests.factories.installations import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A home with a batch that was released, two rows of which are recalled, and one that is held."""
    made = installations.make(tmp_path_factory.mktemp("console") / "home")
    with installations.at_home(made.home):
        recalls.opened(made.home, runs.released(made, made.home.inbox / "released", 1, 20), 0, 1)
        runs.held(made, made.home.inbox / "held")
    return made


@pytest.fixture(scope="session")
def batches(installation: Installation) -> dict[str, str]:
    """The names of its batches, by state, and of its recall `case`."""
    with runs.ledger_of(installation.home) as ledger:
        (case,) = ledger.cases()
        return {"case": case.id} | {record.state.value: record.name for record in ledger.batches()}


@pytest.fixture
def app(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    """The console of a copy of that home."""
    consoles.quick(monkeypatch)
    app = make(runs.copy(installation.home, tmp_path / "home"))
    console = app.state.console
    for name in ("operator-1", "operator-2"):
        consoles.password_for(console, name)
    yield app
    console.ledger.close()


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app)


@pytest.fixture
def ada(browser: Browser) -> Browser:
    """Signed in as operator-1."""
    assert browser.sign_in().status_code == 303
    return browser


@pytest.fixture
def full(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets that do not empty, for tests of something else."""
    for name in ("addresses", "accounts"):
        object.__setattr__(app.state.console, name, Rate(10_000, 1))
