"""Every test that asks for `url`, `ledger` or `office` runs on SQLite and on PostgreSQL: there as a role with the
rights of batches, or of the `service` that its module names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from flows.ledger.database.models import Base
from flows.ledger.database.rights import Service
from flows.ledger.entrance.models import Private
from flows.ledger.ledger import Ledger
from tests.factories import postgres
from tests.factories.ledgers import Office

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.outside)]


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new ledger, to be copied: running the migrations for each test would take most of the time."""
    path = tmp_path_factory.mktemp("new") / "ledger.db"
    Ledger.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def new_postgresql() -> Iterator[str]:
    """The URL of a ledger on a server of our own; its tables are emptied for each test."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    with postgres.server(programs) as server:
        yield postgres.ledger_on(server)


def empty(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty ledger."""
    if kind == "sqlite":
        path = folder / "ledger.db"
        shutil.copy(request.getfixturevalue("new_sqlite"), path)
        return f"sqlite:///{path}"
    url = str(request.getfixturevalue("new_postgresql"))
    with psycopg.connect(url) as connection:
        connection.execute(f"TRUNCATE {', '.join([*Base.metadata.tables, *Private.metadata.tables])}")
    return url


@pytest.fixture(scope="module")
def service() -> Service:
    return Service.BATCHES


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path, service: Service) -> str:
    return postgres.as_service(empty(request.param, request, tmp_path), service)


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as opened:
        yield opened


@pytest.fixture
def owner(url: str, service: Service) -> Iterator[Ledger]:
    """The same ledger for whoever may change everything in it."""
    with Ledger.open(url.replace(f"user={service}", "user=postgres")) as opened:
        yield opened


@pytest.fixture
def office(ledger: Ledger) -> Office:
    """Three enrolled operators: ada, ben and cleo."""
    return Office(ledger, "ada", "ben", "cleo")
