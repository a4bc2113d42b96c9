"""The keyed hashes of the ledger carried over to another key: what the tables, the events and the exports say then."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.errors import Fault, SluicegateError
from expectations.base.keyed import Generation
from flows.ledger import carrying
from flows.ledger.bulk import BULK, CLAIMS, TRIES
from flows.ledger.case_records import NewCase
from flows.ledger.chain import Link
from flows.ledger.database.models import Batch, Claim, Event, KeyName, Recalled, Try
from flows.ledger.events.carried import Carried
from flows.ledger.hashed import Hashed
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.cases import CaseReason
from flows.ledger.lifecycles.states import State
from flows.ledger.rebuild import impossible
from tests.factories.ledgers import Office, pairs, published, receive, sealed, sha

KEYS = [(name, sha(name)) for name in (KeyName.HASH, KeyName.HOLDER_SIGNING, KeyName.HOLDER_AGE)]
BY = Generation(Scheme.SHA3_256, bytes(range(32)))
AFTER = [(name, BY.keyed_hash(sha(name)) if name is KeyName.HASH else key) for name, key in KEYS]


@pytest.fixture
def used(ledger: Ledger, office: Office, tmp_path: Path) -> Ledger:
    """Two batches that were published, with tries, one of them recalled; and one that was refused."""
    ledger.record_keys(KEYS, office.signed(ledger.keys_message(KEYS), ("ada", "ben"), signatures.KEYS))
    for name in ("b-1", "b-2"):
        sealed(ledger, name)
        ledger.record_tries(name, pairs("a", name, "c"))
        published(ledger, tmp_path, name)
    receive(ledger, "b-3")
    ledger.refuse("b-3", ["COURT_ORDER"], ["mou"])
    found = datetime(2026, 3, 3, tzinfo=UTC)
    case = NewCase("c-1", "agency", "mou", CaseReason.LOOKBACK, found, {"b-1": 1}, {}, sha("c-1"))
    assert not ledger.open_case(case, pairs("b-1"), "ada")
    return ledger


def renew(ledger: Ledger, office: Office, by: Generation | None = BY, *who: str) -> bool:
    said = ledger.keys_message(AFTER, by.scheme if by else None)
    return ledger.record_keys(AFTER, office.signed(said, who or ("ada", "ben"), signatures.KEYS), by)


def stored(ledger: Ledger) -> dict[str, list[tuple[str, ...]]]:
    with ledger.reading() as session:
        return {bulk.name: sorted(map(tuple, session.execute(select(bulk.owner, *bulk.keys)))) for bulk in BULK}


def other_link(link: Link, **changes: object) -> Any:
    """The link with these in place of what it has."""
    return SimpleNamespace(**{c.key: getattr(link, c.key) for c in Event.__table__.columns} | changes)


def test_every_row_is_carried_over_and_nothing_else(used: Ledger, office: Office) -> None:
    before, head = stored(used), used.head().seq
    assert used.verify() == [] and renew(used, office)
    expected = {
        name: sorted((owner, *map(BY.keyed_hash, keys)) for owner, *keys in rows) for name, rows in before.items()
    }
    assert stored(used) == expected and all(expected.values())
    assert used.verify() == []
    told = used.events()[head:]
    assert [e["kind"] for e in told] == ["keys", *["carried"] * 5]
    assert told[0]["facts"]["carried"] == "sha3_256"
    said = {(e["facts"]["table"], e["facts"]["owner"], e["facts"]["rows"], e["batch"]) for e in told[1:]}
    assert said == {
        *(("claims", name, 1, name) for name in ("b-1", "b-2")),
        *(("tries", name, 3, name) for name in ("b-1", "b-2")),
        ("recalled", "c-1", 1, None),
    }
    assert not renew(used, office), "the ledger knows these keys"


def test_what_was_disclosed_tried_and_recalled_is_found_by_its_new_hash(used: Ledger, office: Office) -> None:
    ((request, person),) = pairs("b-1")
    renew(used, office)
    assert used.disclosures_of(person) == []
    (found,) = used.disclosures_of(BY.keyed_hash(person))
    assert found.batch.name == "b-1" and found.recalls == {"c-1": "found"}
    assert BY.keyed_hash(request) in set(used.disclosed("agency", "mou")) and request not in set(
        used.disclosed("agency", "mou")
    )
    assert used.recalled() == [BY.keyed_hash(request)]
    tried = set(used.tries(["b-1"]))
    assert {("b-1", *map(BY.keyed_hash, pair)) for pair in pairs("a", "b-1", "c")} <= tried
    assert used.persons("agency", ["b-1", "b-2"]) == 2


def test_which_key_a_batch_was_hashed_with(used: Ledger, office: Office) -> None:
    old, new = dict(KEYS)[KeyName.HASH], dict(AFTER)[KeyName.HASH]
    assert used.hashed_with("b-1") == old
    renew(used, office)
    receive(used, "b-4")
    assert [used.hashed_with(name) for name in ("b-1", "b-3", "b-4")] == [old, old, new]
    assert used.claims_carried("b-1") and used.claims_carried("b-3") is None


def test_a_batch_under_way_is_named_and_nothing_changes(used: Ledger, office: Office) -> None:
    for n in range(7):
        receive(used, f"late-{n}")
    before, head = stored(used), used.head()
    with pytest.raises(SluicegateError, match="BATCH_UNDER_WAY") as error:
        renew(used, office)
    assert error.value.where == "late-0, late-1, late-2, late-3, late-4 and others"
    assert (stored(used), used.head()) == (before, head)
    for n in range(7):
        used.refuse(f"late-{n}", ["COURT_ORDER"], ["mou"])
    assert renew(used, office) and used.verify() == []


@pytest.mark.parametrize(
    "by", [None, Generation(Scheme.SHA3_256, bytes(32)), Generation(Scheme.SHA256, BY.key)], ids=["none", "key", "mac"]
)
def test_only_a_key_that_goes_on_from_the_present_one_takes_its_place(
    used: Ledger, office: Office, by: Generation | None
) -> None:
    before = stored(used)
    with pytest.raises(SluicegateError, match="KEY_IN_USE"):
        renew(used, office, by)
    assert stored(used) == before


def test_two_operators_sign_for_the_algorithm_too(used: Ledger, office: Office) -> None:
    with pytest.raises(SluicegateError):
        renew(used, office, BY, "ada")
    without = office.signed(used.keys_message(AFTER), ("ada", "ben"), signatures.KEYS)
    with pytest.raises(SluicegateError, match="BAD_SIGNATURE"):
        used.record_keys(AFTER, without, BY)
    assert used.verify() == [] and renew(used, office)


def test_what_fails_half_way_leaves_all_as_it_was(
    used: Ledger, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, head, load, times = stored(used), used.head(), carrying.load, []

    def fail(*given: object) -> None:
        times.append(1)
        if len(times) == 4:
            raise KeyboardInterrupt
        load(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(carrying, "load", fail)
        with pytest.raises(KeyboardInterrupt):
            renew(used, office)
    assert (stored(used), used.head()) == (before, head) and used.verify() == []
    assert renew(used, office) and used.verify() == []


@pytest.mark.parametrize("model", [Claim, Try, Recalled], ids=lambda m: m.__tablename__)
@pytest.mark.parametrize("column", ["request_key", "person_key", "values_key"])
def test_an_edited_row_is_found(used: Ledger, owner: Ledger, office: Office, model: type[Claim], column: str) -> None:
    if column not in model.__table__.c:
        pytest.skip("no such column")
    renew(used, office)
    with owner.transaction() as session:
        first = session.scalar(select(model.__table__.c[column]).order_by(model.__table__.c[column]).limit(1))
        session.execute(
            text(f"UPDATE {model.__tablename__} SET {column} = :new WHERE {column} = :old"),
            {"new": sha("edited"), "old": first},
        )
    assert any(f"rows of {model.__tablename__}" in problem.what for problem in used.verify())


def test_rows_that_were_put_back_as_they_were_are_found(used: Ledger, owner: Ledger, office: Office) -> None:
    ((request, person),) = pairs("b-1")
    renew(used, office)
    with owner.transaction() as session:
        query = text("UPDATE claims SET request_key = :r, person_key = :p WHERE batch = 'b-1'")
        session.execute(query, {"r": request, "p": person})
    assert [p.place for p in used.verify()] == ["claims of batch b-1"]


def test_a_chain_alone_says_whether_it_could_be_so(used: Ledger, office: Office) -> None:
    """An export has no rows: its events are played all the same."""
    early = list(used.links())
    renew(used, office)
    links = list(used.links())
    assert impossible(links) == [] and impossible(early) == []
    last = links[-1]
    said = json.loads(last.facts)
    for change in ({"rows": said["rows"] + 1}, {"after": said["after"] - 1}, {"owner": "b-9"}):
        other = other_link(last, facts=json.dumps(said | change))
        assert impossible([*links[:-1], other]), change
    tick = other_link(last, seq=last.seq + 1, kind="tick", facts="{}")
    late = other_link(last, seq=last.seq + 2)
    assert any("no event before it" in p.what for p in impossible([*links, tick, late]))
    assert any("no event before it" in p.what for p in impossible([*early, last]))


@pytest.mark.parametrize("after", [0, 1], ids=["without a renewal", "later"])
def test_nobody_carries_rows_over_by_the_way(used: Ledger, office: Office, after: int) -> None:
    if after:
        renew(used, office)
        receive(used, "b-5")
    event = Carried(table=Hashed.TRIES, owner="b-1", rows=3, digest=sha("x"), after=used.known_keys()[0].seq)
    with used.transaction() as session, pytest.raises(Fault, match="EVENT_WRONG"):
        used.append(session, "b-1", event, also={"b-1"})


def test_it_is_done_again_and_again(used: Ledger, office: Office, tmp_path: Path) -> None:
    renew(used, office)
    second = Generation(Scheme.SHA256, bytes(32))
    again = [(name, second.keyed_hash(key) if name is KeyName.HASH else key) for name, key in AFTER]
    signed = office.signed(used.keys_message(again, second.scheme), ("ada", "cleo"), signatures.KEYS)
    sealed(used, "b-7")
    published(used, tmp_path / "more", "b-7")
    assert used.record_keys(again, signed, second)
    ((request, _),) = pairs("b-1")
    assert second.keyed_hash(BY.keyed_hash(request)) in set(used.disclosed("agency", "mou"))
    old, mid, new = (dict(keys)[KeyName.HASH] for keys in (KEYS, AFTER, again))
    receive(used, "b-8")
    assert [used.hashed_with(name) for name in ("b-1", "b-7", "b-8")] == [old, mid, new]
    assert used.verify() == []


def test_a_batch_whose_hashes_were_read_before_is_not_taken_in(used: Ledger, office: Office) -> None:
    before = {"hashed_with": dict(KEYS)[KeyName.HASH]}
    facts = {
        "submission": sha("b-6"),
        "requester": "agency",
        "agreement": "mou",
        "received_at": datetime(2026, 3, 2, tzinfo=UTC),
        "decided_on": datetime(2026, 3, 2, tzinfo=UTC).date(),
        "instruments": {"mou": sha("mou")},
        "register": "register-7",
        "rows": 1,
    }
    renew(used, office)
    with pytest.raises(SluicegateError, match="KEY_OTHER"):
        used.receive("b-6", **facts, **before)
    assert used.receive("b-6", **facts, hashed_with=dict(AFTER)[KeyName.HASH])


def test_many_rows_pass_through_in_bounded_memory(used: Ledger, owner: Ledger, office: Office) -> None:
    """In one batch, which is the most that there can be in memory."""
    many, each = 120_000, [(sha(f"r{n}"), sha(f"p{n}")) for n in range(120_000)]
    with owner.transaction() as session:
        fixed = {"requester": "agency", "agreement": "mou", "batch": "b-3"}
        session.execute(insert(Claim), [{**fixed, "request_key": r, "person_key": p} for r, p in each])
    del each
    tracemalloc.start()
    renew(used, office)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6, f"{peak / 1e6:.0f} MB for {many} rows"
    with used.reading() as session:
        assert CLAIMS.count(session, "b-3") == many and TRIES.count(session, "b-3") == 0
        first = session.scalar(select(Claim.person_key).where(Claim.request_key == BY.keyed_hash(sha("r7"))))
        assert first == BY.keyed_hash(sha("p7"))
        assert session.scalar(select(Batch.state).where(Batch.name == "b-3")) == State.REFUSED
