"""One console for a module's tests, with its own installation; each test begins signed out, with full buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from fastapi import FastAPI

from flows.console.web.app import make
from flows.console.web.rate import Rate
from flows.ledger import Ledger
from flows.ledger.database.rights import Service
from tests.factories import consoles, installations, postgres, recalls, runs
from tests.factories.consoles import Browser
from tests.factories.installations import Installation

# The modules whose tests are also run on PostgreSQL, as the console's role.
AS_ROLE = {"test_doors", "test_instruments", "test_mine", "test_passkeys", "test_proof", "test_proposals"}
AS_ROLE |= {"test_queue", "test_recalls", "test_rows"}


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A home with a batch that was released, two rows of which are recalled, and one that is held; its operators have
    passwords."""
    made = installations.make(tmp_path_factory.mktemp("console") / "home")
    with installations.at_home(made.home):
        recalls.opened(made.home, runs.released(made, made.home.inbox / "released", 1, 20), 0, 1)
        runs.held(made, made.home.inbox / "held")
    consoles.passwords_in(made.home)
    return made


@pytest.fixture(scope="session")
def batches(installation: Installation) -> dict[str, str]:
    """The names of its batches, by state, and of its recall `case`."""
    with runs.ledger_of(installation.home) as ledger:
        (case,) = ledger.cases()
        return {"case": case.id} | {record.state.value: record.name for record in ledger.batches()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames and metafunc.module.__name__.rsplit(".", 1)[1] in AS_ROLE:
        as_role = pytest.param("postgresql", marks=[pytest.mark.slow, pytest.mark.outside])
        metafunc.parametrize("database", ["sqlite", as_role], indirect=True)


@pytest.fixture(scope="module")
def on_postgresql(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with that home's ledger, for others to be made from it."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    folder = tmp_path_factory.mktemp("copied")
    with postgres.server(programs) as server:
        yield postgres.copied(server, installation.home.ledger_url, folder)


@pytest.fixture
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the console's ledger is: a file, or PostgreSQL, where it has the rights of its own role only."""
    if getattr(request, "param", "sqlite") == "postgresql":
        full = str(request.getfixturevalue("on_postgresql"))
        with psycopg.connect(full.replace("///copied?", "///postgres?"), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS one WITH (FORCE)")
            connection.execute("CREATE DATABASE one TEMPLATE copied")
        url = postgres.as_service(full.replace("///copied?", "///one?"), Service.CONSOLE)
        monkeypatch.setenv("SLUICEGATE_LEDGER", url)


@pytest.fixture
def app(
    installation: Installation, database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FastAPI]:
    """The console of a copy of that home."""
    consoles.quick(monkeypatch)
    app = make(runs.copy(installation.home, tmp_path / "home"))
    yield app
    app.state.console.ledger.close()


@pytest.fixture
def workers(app: FastAPI) -> Iterator[Ledger]:
    """The console's ledger as workers come into it."""
    url = app.state.console.home.ledger_url.replace(f"user={Service.CONSOLE}", f"user={Service.BATCHES}")
    with Ledger.open(url) as ledger:
        yield ledger


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
