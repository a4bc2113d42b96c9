"""Whatever is edited beside the chain is found: each column of each row of each table, from the models, one at a
time."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary

from expectations.base import signatures
from flows.cli import main
from flows.ledger import events
from flows.ledger.bulk import BULK
from flows.ledger.chain import Problem
from flows.ledger.database.models import Base, Decided, Enrolled, Event
from flows.ledger.events import KINDS, Kind
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.ledger.rebuild import PLACES
from tests.factories import installations
from tests.factories.full_ledger import FixedOffice, fill, fixed_key

OLD = Path(__file__).with_name("old.sql")
MODELS = sorted((m.class_ for m in Base.registry.mappers), key=lambda m: str(m.__tablename__))
COLUMNS = [(m, c.name) for m in MODELS for c in m.__table__.columns]
_BULK = {b.model: b for b in BULK}


def place(model: type[Base], row: dict[str, Any]) -> str:
    """How verification calls a row."""
    if model is Event:
        return f"event {row['seq']}"
    if model in _BULK:
        return f"{_BULK[model].place} {row[_BULK[model].owner.key]}"
    return PLACES[model].format(*(row[c.name] for c in model.__table__.primary_key))


@dataclass(frozen=True)
class Copy:
    """A full ledger that is spoiled, one statement at a time, and put right again."""

    path: Path

    def rows(self, model: type[Base]) -> list[dict[str, Any]]:
        with sqlite3.connect(self.path) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(r) for r in connection.execute(f"SELECT * FROM {model.__tablename__}")]

    def spoiled(self, *changes: tuple[str, tuple[Any, ...]]) -> list[Problem]:
        """What is found after these changes, each of one row, which are then undone."""
        other = self.path.with_name("spoiled.db")
        shutil.copy(self.path, other)
        with sqlite3.connect(other) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement, values in changes:
                assert connection.execute(statement, values).rowcount == 1
        with Ledger.open(f"sqlite:///{other}") as ledger:
            return ledger.verify()


def closed(ledger: Ledger, path: Path) -> Copy:
    """A ledger in one file, without its write-ahead log."""
    ledger.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return Copy(path)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder = tmp_path_factory.mktemp("full")
    with Ledger.open(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        fill(ledger, folder)
        assert ledger.age_tries(datetime(2025, 1, 1, tzinfo=UTC)) == 2
        assert ledger.verify() == []
        return closed(ledger, folder / "ledger.db")


def old(folder: Path) -> str:
    """The URL of a ledger that the version before wrote."""
    with sqlite3.connect(folder / "old.db") as connection:
        connection.executescript(OLD.read_text())
    return f"sqlite:///{folder / 'old.db'}"


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder = tmp_path_factory.mktemp("old")
    with Ledger.open(old(folder)) as ledger:
        sign_baseline(ledger)
        assert ledger.verify() == []
        return closed(ledger, folder / "old.db")


def sign_baseline(ledger: Ledger, who: str = "ada") -> int:
    text = ledger.baseline_message()
    signature = signatures.sign(text, fixed_key(who), signatures.BASELINE)
    return ledger.baseline(signatures.public_line(fixed_key(who)), signature)


def edits(column: Column[Any], value: Any) -> Iterator[Any]:
    """Other values that the column may hold."""
    if value is not None and column.nullable:
        yield None
    if column.name == "state" and column.table.name == "batches":
        yield State.RECEIVED.value if value != State.RECEIVED else State.SEALED.value
    elif isinstance(column.type, Integer):
        yield (value or 0) + 1000
    elif isinstance(column.type, Boolean):
        yield not value
    elif isinstance(column.type, LargeBinary):
        yield value + b"x"
        yield value.decode()
    elif isinstance(column.type, Date):
        yield (date.fromisoformat(value) if value else date(2026, 1, 1)).replace(year=1999).isoformat()
    else:
        yield (value or "") + "x"


def found(problems: list[Problem], model: type[Base], *rows: dict[str, Any], column: str = "") -> bool:
    """Whether a problem names one of these rows, and the table with the column."""
    places = {place(model, row) for row in rows}
    if model is Event:  # one that is gone is found by the one after it
        places |= {f"event {row['seq'] + 1}" for row in rows}
        return any(p.place in places for p in problems)
    table = f"{model.__tablename__}"
    return any(p.place in places and (f"{table}.{column}" in p.what or table in p.what.split()) for p in problems)


def change(model: type[Base], row: dict[str, Any], name: str, value: Any) -> tuple[str, tuple[Any, ...]]:
    """The SQL that changes one column of one row."""
    keys = [c.name for c in model.__table__.primary_key]
    where = " AND ".join(f"{key} = ?" for key in keys)
    return f"UPDATE {model.__tablename__} SET {name} = ? WHERE {where}", (value, *(row[key] for key in keys))


@pytest.mark.parametrize(("model", "name"), COLUMNS, ids=[f"{m.__tablename__}.{c}" for m, c in COLUMNS])
def test_an_edited_column_is_found_in_each_row(full: Copy, model: type[Base], name: str) -> None:
    """All rows at once, in each way that the column can be edited; of events, one of each kind."""
    column, rows = model.__table__.columns[name], of_each_kind(full.rows(model))
    edited = [(row, n, value) for row in rows for n, value in enumerate(edits(column, row[name]))]
    for which in {n for _, n, _ in edited}:
        now = [(row, value) for row, n, value in edited if n == which]
        problems = full.spoiled(*(change(model, row, name, value) for row, value in now))
        for row, value in now:
            assert found(problems, model, row, {**row, name: value}, column=name), (row, value, problems)


def of_each_kind(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of events one of each kind; of other tables, all rows."""
    return list({row.get("kind", n) if "previous" in row else n: row for n, row in enumerate(rows)}.values())


@pytest.mark.parametrize("model", MODELS, ids=[m.__tablename__ for m in MODELS])
def test_rows_that_were_dropped_are_found(full: Copy, model: type[Base]) -> None:
    where = " AND ".join(f"{c.name} = ?" for c in model.__table__.primary_key)
    rows = full.rows(model)[10:11] if model is Event else full.rows(model)
    for some in (rows[:1], rows):
        keys = [tuple(row[c.name] for c in model.__table__.primary_key) for row in some]
        problems = full.spoiled(*((f"DELETE FROM {model.__tablename__} WHERE {where}", key) for key in keys))
        for row in some:
            assert found(problems, model, row), (row, problems)


@pytest.mark.parametrize("model", MODELS, ids=[m.__tablename__ for m in MODELS])
def test_a_row_that_was_put_in_is_found(full: Copy, model: type[Base]) -> None:
    row = full.rows(model)[-1]
    unique = {c.name for c in model.__table__.columns if c.primary_key or c.unique}
    unique |= {Decided: {"operator"}, Enrolled: {"version"}}.get(model, set())
    columns = model.__table__.columns
    more = {name: next(edits(columns[name], v)) if name in unique else v for name, v in row.items()}
    marks = ", ".join("?" * len(more))
    statement = f"INSERT INTO {model.__tablename__} ({', '.join(more)}) VALUES ({marks})"
    problems = full.spoiled((statement, tuple(more.values())))
    assert found(problems, model, more), (more, problems)


def test_the_full_ledger_has_every_kind_of_event_and_fills_every_column(full: Copy) -> None:
    kinds = {kind.value for enum in KINDS for kind in enum}
    assert {r["kind"] for r in full.rows(Event)} == kinds - {Kind.BASELINE}
    for model, name in COLUMNS:
        assert any(row[name] is not None for row in full.rows(model)), (model, name)


def test_a_kind_without_a_class_fails_at_import() -> None:
    class More(StrEnum):
        NEW = "new"

    events.check_total(*KINDS)
    with pytest.raises(TypeError, match="new"):
        events.check_total(*KINDS, More)
    with pytest.raises(TypeError, match="accounted"):
        events.check_total(*(enum for enum in KINDS if enum is not Kind))


def test_an_old_ledger_says_which_command_it_needs_and_nothing_else(tmp_path: Path) -> None:
    with Ledger.open(old(tmp_path)) as ledger:
        (problem,) = ledger.verify()
        assert problem.place == "baseline" and "sluicegate ledger baseline --key KEY" in problem.what
        for column in ("batches.received_at", "batches.instruments", "recall_cases.discovered_at", "tries"):
            assert column in problem.what
        told = ledger.tries(b.name for b in ledger.batches() if b.requester == "agency")
        assert sorted({(person, values) for _, person, values in told if values}) == old_tries()
        office = FixedOffice(ledger, "ada", "ben", enrol=False)
        assert ledger.granted("withdrawn", *granted(ledger)) and office.keys
        number = sign_baseline(ledger)
        assert ledger.head().seq == number and ledger.verify() == []
        with pytest.raises(Exception, match="NO_BASELINE"):
            ledger.baseline_message()
        ledger.refuse("long-ago", ["COURT_ORDER"], ["mou"])
        assert ledger.age_tries(datetime(2025, 1, 1, tzinfo=UTC)) == 1
        assert ledger.verify() == []


def granted(ledger: Ledger) -> tuple[Any, str, Any]:
    first = ledger.decisions("withdrawn")[0]
    return first.checkpoint, first.content_digest, first.decision


def old_tries() -> list[tuple[str, str]]:
    """What the version before answered."""
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(OLD.read_text())
        rows = connection.execute("SELECT person_key, address_key FROM tries WHERE requester = 'agency' ORDER BY 1, 2")
        return [(a, b) for a, b in rows]


@pytest.mark.parametrize(
    ("table", "name"),
    [("batches", "received_at"), ("batches", "instruments"), ("recall_cases", "discovered_at"), ("batches", "rows")],
)
def test_what_older_events_did_not_say_is_proven_by_the_baseline(upgraded: Copy, table: str, name: str) -> None:
    (model,) = (m for m in MODELS if m.__tablename__ == table)
    row = upgraded.rows(model)[0]
    (value,) = edits(model.__table__.columns[name], row[name])
    assert any(
        table in p.what or f"{table}.{name}" in p.what for p in upgraded.spoiled(change(model, row, name, value))
    )


@pytest.mark.parametrize(
    "spoil", ["DELETE FROM tries WHERE rowid = 1", "UPDATE tries SET person_key = 'x' WHERE rowid = 1"]
)
def test_old_tries_are_proven_by_the_baseline(upgraded: Copy, spoil: str) -> None:
    assert [p.place for p in upgraded.spoiled((spoil, ()))] == ["tries of batch batch-1"]


def test_the_command_signs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = installations.make(tmp_path / "home").home
    monkeypatch.setenv("SLUICEGATE_HOME", str(home.root))
    for file in home.root.glob("ledger.db*"):
        file.unlink()
    old(tmp_path)
    shutil.copy(tmp_path / "old.db", home.root / "ledger.db")
    key = fixed_key("ben").private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (tmp_path / "ben").write_bytes(key)
    assert main.run(["ledger", "baseline", "--key", str(tmp_path / "ben")]) == 0
    assert capsys.readouterr().out.startswith("Signed: event 93")
    assert main.run(["ledger", "baseline", "--key", str(tmp_path / "ben")]) == 2
    with Ledger.open(home.ledger_url) as ledger:
        assert ledger.verify() == []


@pytest.mark.parametrize("wrong", ["key", "message", "namespace"])
def test_a_baseline_takes_an_operators_signature_over_exactly_this(tmp_path: Path, wrong: str) -> None:
    with Ledger.open(old(tmp_path)) as ledger:
        text, key = ledger.baseline_message(), fixed_key("dora" if wrong == "key" else "ada")
        text += b" " if wrong == "message" else b""
        space = signatures.DECISION if wrong == "namespace" else signatures.BASELINE
        with pytest.raises(Exception, match="OPERATOR_REVOKED" if wrong == "key" else "BAD_SIGNATURE"):
            ledger.baseline(signatures.public_line(key), signatures.sign(text, key, space))
