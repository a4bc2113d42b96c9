"""Which digest each sealed file has now: said by the events of its making, by those of sealing anew, and by a migration
of ledgers that did not have the table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.base.errors import Fault, Usage
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName, SealKind
from flows.ledger.events.seals import AFFECTED
from flows.ledger.lifecycles.cases import CaseState
from flows.ledger.roles import NotYourRole, Role
from flows.ledger.seals import Change
from tests.factories import full_ledger
from tests.factories.full_ledger import KEYS
from tests.factories.ledgers import Office, published, sealed, sha

KEY = dict(KEYS)[KeyName.HOLDER_AGE]


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Everything but what was sealed anew, in `full.db`."""
    monkeypatch.setattr(full_ledger, "_sealed_anew", lambda _: None)
    with Ledger.open(f"sqlite:///{tmp_path / 'full.db'}") as made:
        full_ledger.fill(made, tmp_path)
        yield made


def test_it_is_so_with_the_rights_of_a_service(ledger: Ledger, tmp_path: Path) -> None:
    """On both databases: accounted for, sealed anew, told of again, shredded."""
    ledger.record_keys(KEYS)
    Office(ledger, "ada", "ben")
    sealed(ledger, "batch-1")
    published(ledger, tmp_path, "batch-1")
    for number in (1, 2):
        changes = [Change(k, o, d, sha(f"{k} {number}")) for (k, o), d in ledger.seals("batch-1").items()]
        ledger.reseal("ada", KEY, changes, "batch-1")
    assert sorted(ledger.seals().values()) == sorted(change.now for change in changes)
    assert len(changes) == 2 and ledger.verify() == []
    assert ledger.begin_shredding("batch-1", sha("key"), lambda _: []) == []
    with pytest.raises(Fault, match="EVENT_WRONG"):
        (evidence,) = (one for one in changes if one.kind is SealKind.EVIDENCE)
        ledger.reseal("ada", KEY, [Change(evidence.kind, "batch-1", evidence.now, sha("late"))], "batch-1")
    ledger.end_shredding("batch-1")
    assert [kind for kind, _ in ledger.seals()] == [SealKind.ACCOUNTING] and ledger.verify() == []


def test_a_ledger_without_the_table_gets_it_from_its_events(full: Ledger, tmp_path: Path) -> None:
    before, ledger = full.seals(), full
    assert {kind for kind, _ in before} == set(SealKind)
    assert (SealKind.EVIDENCE, "rejected") not in before  # it was shredded
    ledger.close()
    with sqlite3.connect(tmp_path / "full.db") as connection:
        rows = connection.execute("SELECT * FROM seals ORDER BY kind, owner").fetchall()
        connection.execute("DROP TABLE seals")
        connection.execute("UPDATE alembic_version SET version_num = '0016'")
    with Ledger.open(f"sqlite:///{tmp_path / 'full.db'}") as again:
        assert again.seals() == before and again.verify() == []
    with sqlite3.connect(tmp_path / "full.db") as connection:
        assert connection.execute("SELECT * FROM seals ORDER BY kind, owner").fetchall() == rows != []


def test_a_digest_that_stands_is_replaced_once_and_asked_everywhere(full: Ledger) -> None:
    ledger = full
    told = {"k-1": SealKind.CORRECTION, "c-1": SealKind.RECALL}
    for owner, kind in told.items():
        (before,) = ledger.seals(owner).values()
        change = Change(kind, owner, before, sha(f"{owner} anew"))
        assert ledger.reseal("ada", KEY, [change]) == ledger.head().seq
        with pytest.raises(Fault, match="EVENT_WRONG"):
            ledger.reseal("ada", KEY, [change])
        with pytest.raises(Fault, match="EVENT_WRONG"):  # it is never another file's
            ledger.reseal("ada", KEY, [Change(kind, owner, change.now, next(iter(ledger.seals("batch-2").values())))])
    assert [notice.affected for notice in ledger.corrections()] == [sha("k-1 anew")]
    frozen = next(step for step in ledger.case("c-1").steps if step.state is CaseState.FROZEN)
    assert frozen.documents[AFFECTED] == ledger.case("c-1").documents[AFFECTED] == sha("c-1 anew")
    assert frozen.facts["documents"][AFFECTED] == sha("persons")  # what the event said stays
    assert ledger.verify() == []


def test_what_is_refused_leaves_no_event_of_it(full: Ledger) -> None:
    ledger = full
    (kind, owner), before = next(iter(ledger.seals("batch-1").items()))
    change, seq = Change(kind, owner, before, sha("anew")), ledger.head().seq
    for key, batch in ((sha("another key"), owner), (KEY, None), (KEY, "batch-2")):
        with pytest.raises(Fault, match="EVENT_WRONG"):
            ledger.reseal("ada", key, [change], batch)
    for who in ("dora", "nobody"):  # who was revoked, or never was there
        with pytest.raises(Usage):
            ledger.reseal(who, KEY, [change], owner)
    assert ledger.head().seq == seq and ledger.seals()[kind, owner] == before
    office = full_ledger.FixedOffice(ledger, *full_ledger.NAMES, enrol=False)
    office.give("cleo", Role.VIEWER, by=("ada", "ben"))
    with pytest.raises(NotYourRole):
        ledger.reseal("cleo", KEY, [change], owner)
    assert ledger.events()[-1]["kind"] == "denied" and ledger.seals()[kind, owner] == before
