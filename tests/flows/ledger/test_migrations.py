"""A ledger of the first form is brought to the newest: what it holds keeps counting, and what it lacks is said."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.digests import of_bytes
from flows.ledger import chain, facts
from flows.ledger.database import engine
from flows.ledger.database.models import Base
from flows.ledger.decisions import Decision
from flows.ledger.entrance.models import Private
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from tests.factories.full_ledger import FixedOffice, fixed_key
from tests.factories.ledgers import ORDER, Office
from tests.flows.ledger.conftest import DATABASES

LIFTED = ORDER + b"lifted_on = 2026-02-01\n"


@pytest.fixture(params=DATABASES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger of the first form, with three versions enrolled in the name of operators who did not sign."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgresql":
        server = str(request.getfixturevalue("new_postgresql"))
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS old")
            connection.execute("CREATE DATABASE old")
        url = server.replace("///postgres?", "///old?")
    database = engine.connect(url)
    with database.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "flows.ledger:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    database.dispose()
    with Ledger(engine.connect(url), Clock()) as ledger, ledger.filling() as session:  # not opened: not migrated
        for body in (ORDER, LIFTED, ORDER):
            said = {"instrument": "order-1", "kind": "court_order", "digest": of_bytes(body), "by": ["ada"]}
            text_of = facts.checked(said, {"order-1", "ada"})
            seq = first_form(session, ledger.now(), "enrolled", text_of)
            row = {"seq": seq, "digest": of_bytes(body), "at": ledger.now(), "by": json.dumps(["ada"]), "body": body}
            session.execute(
                text(
                    "INSERT INTO instruments (seq, id, digest, kind, enrolled_at, enrolled_by, body)"
                    " VALUES (:seq, 'order-1', :digest, 'court_order', :at, :by, :body)"
                ),
                row,
            )
    return url


def first_form(session: Session, at: str, kind: str, said: str) -> int:
    """Adds an event as the first version did; gives its number."""
    before = chain.head(session)
    event = chain.Line(before.seq + 1, at, None, kind, said, before.hash, "")
    event.hash = chain.event_hash(event)
    columns = ("seq", "at", "batch", "kind", "facts", "previous", "hash")
    named = f"INSERT INTO events ({', '.join(columns)}) VALUES ({', '.join(f':{one}' for one in columns)})"
    session.execute(text(named), {one: getattr(event, one) for one in columns})
    return event.seq


def test_versions_are_numbered_and_unsigned_ones_are_named(old: str) -> None:
    with Ledger.open(old) as ledger:
        assert [(v.version, v.signed) for v in ledger.versions("order-1")] == [(1, ()), (2, ()), (3, ())]
        assert [body for _, _, body in ledger.instruments()] == [ORDER]
        assert [p.place for p in ledger.verify()] == [f"event {n}" for n in (1, 2, 3)]
        office = Office(ledger, "ada", "ben")
        office.enrol(LIFTED)
        assert json.loads(ledger.instrument_message(ORDER))["after"] == 4
        assert len(ledger.verify()) == 3


def test_the_tables_are_those_of_a_new_ledger(old: str) -> None:
    Ledger.open(old).close()
    database = engine.connect(old)
    found = inspect(database)
    for name, table in {**Base.metadata.tables, **Private.metadata.tables}.items():
        assert {c["name"]: c["nullable"] for c in found.get_columns(name)} == {
            c.name: bool(c.nullable) for c in table.columns
        }, name
        assert {u["name"] for u in found.get_unique_constraints(name)} >= {
            c.name for c in table.constraints if c.__class__.__name__ == "UniqueConstraint" and c.name
        }
    database.dispose()


def test_a_ledger_as_the_first_version_wrote_it_goes_on(tmp_path: Path) -> None:
    """`first.sql` was written by the ledger of the first commits (form 0001): two batches that left, others that ended
    or wait in each other way of then, a halt that was lifted. What nobody had to sign then is named for good."""
    with sqlite3.connect(tmp_path / "first.db") as connection:
        connection.executescript(Path(__file__).with_name("first.sql").read_text())
    with Ledger.open(f"sqlite:///{tmp_path / 'first.db'}") as ledger:
        unsigned = ["event 3", "event 4"]  # the third operator, and the instrument
        assert [p.place for p in ledger.verify()] == [*unsigned, "baseline"]
        message, key = ledger.baseline_message(), fixed_key("ben")
        ledger.baseline(signatures.public_line(key), signatures.sign(message, key, signatures.BASELINE))
        assert [p.place for p in ledger.verify()] == unsigned
        states = Counter(batch.state for batch in ledger.batches())
        assert states == {"published": 2, "failed": 1, "held": 1, "refused": 1, "rejected": 1}
        assert len(list(ledger.disclosed("agency", "mou"))) == 4 and ledger.halts() == []
        office = FixedOffice(ledger, "ada", "ben", "cleo", enrol=False)
        assert office.decide("ben", "held", Checkpoint.INTAKE, Decision.DROP) is State.RECEIVED  # ada signed it then
        assert [p.place for p in ledger.verify()] == unsigned
