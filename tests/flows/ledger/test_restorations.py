"""A ledger in copies: between databases, from older forms; and what operators sign to open one that was restored."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import SluicegateError
from flows.ledger import Ledger
from flows.ledger.database import copies, engine
from flows.ledger.restorations import Outside, may_have_left
from tests.factories.full_ledger import fill
from tests.factories.ledgers import ORDER, Office, sha
from tests.flows.ledger.conftest import DATABASES


def empty(kind: str, name: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a database without a table."""
    if kind == "sqlite":
        return f"sqlite:///{folder / name}.db"
    server = str(request.getfixturevalue("new_postgresql"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("///postgres?", f"///{name}?")


def copied(source: Ledger, url: str, folder: Path) -> Ledger:
    """The ledger that a copy makes, told that it was restored."""
    folder.mkdir()
    with source.reading() as session:
        form = copies.write(session, folder)
    with Ledger(engine.connect(url), Clock()) as made, made.filling() as session:
        copies.read(session, folder, form)
        made.record_restored(session, sha("backup"))
    return Ledger(engine.connect(url), Clock())


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with every kind of event; it is read only."""
    folder = tmp_path_factory.mktemp("full")
    with Ledger.open(f"sqlite:///{folder / 'full.db'}") as ledger:
        fill(ledger, folder)
    return folder / "full.db"


@pytest.mark.parametrize("target", DATABASES)
def test_a_copy_is_the_same_ledger(full: Path, target: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """From SQLite into this database, and from there into SQLite again."""
    with Ledger.open(f"sqlite:///{full}") as ledger:
        links = [(e.seq, e.hash) for e in ledger.links()]
        with copied(ledger, empty(target, "target", request, tmp_path), tmp_path / "one") as made:
            assert made.verify() == [] and [(e.seq, e.hash) for e in made.links()][:-1] == links
            with pytest.raises(SluicegateError, match="LEDGER_NOT_EMPTY"):
                copied(ledger, made_url(made), tmp_path / "two")
            with copied(made, empty("sqlite", "back", request, tmp_path), tmp_path / "three") as back:
                assert [(e.seq, e.hash) for e in back.links()][:-2] == links


def made_url(ledger: Ledger) -> str:
    with ledger.reading() as session:
        return session.get_bind().engine.url.render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("target", "written"),
    [("sqlite", "old.sql"), pytest.param("postgresql", "first.sql", marks=pytest.mark.outside)],
)
def test_a_copy_of_an_older_form_is_brought_to_the_newest(
    target: str, written: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """What a version before wrote says the same, migrated in place and restored from a copy of then."""
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.executescript(Path(__file__).with_name(written).read_text())
    shutil.copy(tmp_path / "old.db", tmp_path / "upgraded.db")
    with Ledger(engine.connect(f"sqlite:///{tmp_path / 'old.db'}"), Clock()) as old:  # not opened: not migrated
        made = copied(old, empty(target, "target", request, tmp_path), tmp_path / "copy")
    with made, Ledger.open(f"sqlite:///{tmp_path / 'upgraded.db'}") as upgraded:
        assert made.verify() == upgraded.verify() != []
        assert made.batches() == upgraded.batches() != []


def test_a_copy_of_a_newer_form_is_refused(tmp_path: Path) -> None:
    made = Ledger(engine.connect(f"sqlite:///{tmp_path / 'new.db'}"), Clock())
    with made, pytest.raises(SluicegateError, match="LEDGER_NEWER"), made.filling() as session:
        copies.read(session, tmp_path, "9999")


@pytest.fixture
def closed(office: Office) -> Iterator[Office]:
    """The office of a ledger that was just restored."""
    office.enrol(ORDER)
    with office.ledger.transaction() as session:
        office.ledger.record_restored(session, sha("backup"))
    yield office


def opened(office: Office, outside: Outside, *names: str) -> bool:
    message = office.ledger.opening_message(outside)
    return office.ledger.open_restored(outside, office.signed(message, names or ("ada", "ben"), signatures.OPENING))


def test_who_knows_the_newest_event_opens_it_whole(closed: Office) -> None:
    head = closed.ledger.restorations()[0].head
    assert opened(closed, Outside(head)) and closed.ledger.verify() == []
    closed.ledger.require_open()
    with closed.ledger.reading() as session:
        assert not may_have_left(session, "order-1")
    with pytest.raises(SluicegateError, match="NOT_RESTORED"):
        closed.ledger.opening_message(Outside(head))


@pytest.mark.parametrize(
    "outside", [{}, {"lost": ((9, sha("x")),)}, {"forgotten": (sha("x"),)}, {"newest": sha("another")}]
)
def test_whatever_contradicts_it_leaves_it_incomplete(closed: Office, outside: dict[str, object]) -> None:
    head = closed.ledger.restorations()[0].head
    given = Outside(**{"newest": head if outside else None, **outside})  # type: ignore[arg-type]
    assert not opened(closed, given) and closed.ledger.verify() == []
    closed.enrol(ORDER.replace(b"order-1", b"order-2"))
    with closed.ledger.reading() as session:
        assert (may_have_left(session, "order-1"), may_have_left(session, "order-2")) == (True, False)
    assert closed.ledger.lost_heads() == set(given.lost)


def test_one_operator_or_another_statement_opens_nothing(closed: Office) -> None:
    with pytest.raises(SluicegateError, match="TWO_SIGNATURES"):
        opened(closed, Outside(), "ada")
    unknown = closed.signed(closed.ledger.opening_message(Outside()), ("ada", "ben"), signatures.OPENING)
    with pytest.raises(SluicegateError, match="BAD_SIGNATURE"):
        closed.ledger.open_restored(Outside(closed.ledger.restorations()[0].head), unknown)
    closed.enrol(ORDER + b"lifted_on = 2026-02-01\n")  # an event more: they did not know of it
    with pytest.raises(SluicegateError, match="BAD_SIGNATURE"):
        closed.ledger.open_restored(Outside(), unknown)
    with pytest.raises(SluicegateError, match="RESTORED_CLOSED"):
        closed.ledger.require_open()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE restorations SET opened_at = at, complete = NULL",
        "DELETE FROM restorations",
        "UPDATE restorations SET head = backup",
    ],
)
def test_an_edited_restoration_is_found(closed: Office, owner: Ledger, edit: str) -> None:
    with owner.transaction() as session:
        session.connection().exec_driver_sql(edit)
    assert any("restoration" in p.place for p in closed.ledger.verify())
