"""Tampering with the ledger, one way at a time: each is found, with its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.orm import Session

from flows.ledger import chain, rebuild
from flows.ledger.chain import Head, Mark, append, check_links
from flows.ledger.database.models import Event
from flows.ledger.decisions import Decision
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from tests.factories.ledgers import ORDER, ROWS, Office, receive, sealed, sha
from tests.flows.ledger.conftest import DATABASES, empty


@pytest.fixture(scope="module", params=DATABASES)
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger with some of everything. Events 1-3 enrol operators; 4 an instrument; 5-9 batch-1; 10-13 batch-2."""
    with Ledger.open(empty(request.param, request, tmp_path_factory.mktemp("full"))) as ledger:
        office = Office(ledger, "ada", "ben", "cleo")
        office.enrol(ORDER)
        sealed(ledger)
        receive(ledger, "batch-2")
        ledger.hold("batch-2", Checkpoint.INTAKE, ROWS, ["TOO_MANY_INCOMPLETE"])
        office.decide("ada", "batch-2", Checkpoint.INTAKE, Decision.REJECT)
        assert ledger.head().seq == 13
        assert ledger.verify(ledger.head()) == []
        yield ledger
        assert ledger.verify() == []  # every test undid what it did


@contextmanager
def undone(ledger: Ledger) -> Iterator[Session]:
    """A transaction that is rolled back."""
    with ledger.transaction() as session:
        yield session
        session.rollback()


def places(session: Session, kept: Head | None = None) -> list[str]:
    marks = [Mark("the head that was noted", kept.seq, kept.hash)] if kept else []
    return [
        p.place for p in [*check_links(chain.events(session), marks), *rebuild.verify(session, chain.events(session))]
    ]


def tamper(ledger: Ledger, *statements: str, kept: Head | None = None) -> list[str]:
    """Runs SQL behind the ledger's back; gives the places that verify names."""
    with undone(ledger) as session:
        if session.get_bind().dialect.name == "sqlite":  # whoever tampers does not keep the rules either
            session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for statement in statements:
            session.connection().exec_driver_sql(statement)
        return places(session, kept)


@pytest.mark.parametrize(
    "change",
    [
        'facts = \'{"rows":11,"start":"received"}\'',
        "at = '2020-01-01T00:00:00.000000+00:00'",
        "batch = 'batch-2'",
        "kind = 'matched'",
        f"hash = '{'0' * 64}'",
    ],
)
def test_a_changed_event_is_found(full: Ledger, change: str) -> None:
    assert "event 6" in tamper(full, f"UPDATE events SET {change} WHERE seq = 6")


@pytest.mark.parametrize("seq", [1, 6, 12])
def test_a_dropped_event_is_found(full: Ledger, seq: int) -> None:
    assert f"event {seq + 1}" in tamper(full, f"DELETE FROM events WHERE seq = {seq}")


def test_dropped_events_at_the_end_are_found_by_the_rows_they_leave(full: Ledger) -> None:
    found = tamper(full, "DELETE FROM events WHERE seq >= 12", kept=full.head())
    assert {"batch batch-2", "event 13"} <= set(found)
    assert "decision 12" in found


def test_events_in_another_order_are_found(full: Ledger) -> None:
    found = tamper(
        full,
        "UPDATE events SET seq = 99 WHERE seq = 6",
        "UPDATE events SET seq = 6 WHERE seq = 7",
        "UPDATE events SET seq = 7 WHERE seq = 99",
    )
    assert {"event 6", "event 7", "event 8"} <= set(found)


def test_an_event_put_in_is_found(full: Ledger) -> None:
    copy = "SELECT 14, at, batch, kind, facts, previous, hash, scheme FROM events WHERE seq = 9"
    assert "event 14" in tamper(full, f"INSERT INTO events {copy}")


def test_a_chain_written_anew_is_found_by_a_head_kept_elsewhere(full: Ledger) -> None:
    kept = full.head()
    with undone(full) as session:
        before = chain.Head(0, chain.GENESIS)
        for event in session.query(Event).order_by(Event.seq):
            if event.seq == 6:
                event.facts = '{"rows":11,"start":"received"}'
            event.previous, event.hash = before.hash, ""
            event.hash = chain.event_hash(event)
            before = chain.Head(event.seq, event.hash)
        session.flush()
        assert places(session) == []
        assert places(session, kept) == [f"event {kept.seq}"]


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE batches SET decided_on = '2026-03-01' WHERE name = 'batch-1'", "batch batch-1"),
        ("UPDATE batches SET instruments = '{}' WHERE name = 'batch-1'", "batch batch-1"),
        ("DELETE FROM batches WHERE name = 'batch-1'", "batch batch-1"),
        ("UPDATE decisions SET content_digest = 'x'", "decision 12"),
        ("UPDATE instruments SET body = body || body", "instrument 4"),
        ("DELETE FROM signatures WHERE seq = 4 AND signer = 'ada'", "signature of event 4 by ada"),
        ("UPDATE signatures SET signer = 'cleo' WHERE seq = 4 AND signer = 'ada'", "signature of event 4 by cleo"),
        ("UPDATE signatures SET signature = 'x' WHERE seq = 4", "signature of event 4 by ben"),
        ("UPDATE operators SET revoked_at = 'x' WHERE name = 'ada'", "operator ada"),
        ("INSERT INTO halts VALUES (3, 'x', 'ada', 'x', NULL, NULL)", "halt 3"),
        (
            f"INSERT INTO claims VALUES ('agency', 'mou', '{sha('a')}', '{sha('b')}', 'batch-1')",
            "claims of batch batch-1",
        ),
    ],
)
def test_a_row_changed_beside_the_chain_is_found(full: Ledger, statement: str, place: str) -> None:
    """A few, on each database; `test_edits` has all columns."""
    assert place in tamper(full, statement)


def test_an_impossible_step_is_found_even_in_a_whole_chain(full: Ledger) -> None:
    with undone(full) as session:
        append(session, full.now(), "batch-1", State.PUBLISHED.value, '{"start":"sealed"}')
        assert places(session)[0] == "event 14"


def test_what_cannot_be_read_is_a_problem_and_no_crash(full: Ledger) -> None:
    with undone(full) as session:
        append(session, full.now(), "batch-1", State.PUBLISHED.value, "[]")
        append(session, full.now(), None, "decision", "{")
        append(session, full.now(), None, "invented", "{}")
        append(session, full.now(), None, "published", '{"start":"sealed","package":null}')
        append(session, full.now(), "batch-1", "shredding", '{"key":1}')
        found = {p.place: p.what for p in rebuild.verify(session, chain.events(session))}
        assert list(found) == [f"event {n}" for n in range(14, 19)]
        assert "no such kind" in found["event 16"]
