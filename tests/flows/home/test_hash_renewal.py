"""Another key of the keyed hashes takes the place of the present one: whatever was disclosed, tried or asked for before
is recognised after it, as it is in a copy of the home whose key stayed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.clock import Clock
from expectations.base.errors import BadInput, SluicegateError, Usage
from expectations.base.hash_key import HashKey, written
from expectations.base.keyed import Generation, keyed_hash
from expectations.base.places import Place
from flows import audit
from flows.audit import export
from flows.batch.decisions import sign
from flows.cases import corrections, lookbacks
from flows.cases.opening import Chosen, open_cases
from flows.cli import main
from flows.evidence.requests import requests_path
from flows.evidence.store import open_accounting, seal_to_holder
from flows.home import keys, registers, renewal, staging
from flows.home.tree import Home, alone, open_home
from flows.ledger import carrying
from flows.ledger.bulk import Bulk
from flows.ledger.database.models import KeyName
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.cases import CaseReason
from flows.ledger.lifecycles.states import State
from flows.ledger.looks import LookReason, Why
from flows.operations import restore
from flows.replay.lookback import lookback
from flows.replay.replay import replay
from flows.reports import accounting
from flows.sandbox.home import OPERATORS, enrol
from tests.factories import backups, installations, runs
from tests.factories.deltas import write_delta
from tests.factories.installations import Installation
from tests.factories.past import TODAY, order, waved_through
from tests.factories.renewals import renew_hash, signed

WHY = Why(LookReason.COMPLAINT, "CMP-1")


def first() -> list[dict[str, Any]]:
    return [installations.request(n, request_id=f"A-{n}") for n in range(1, 9)]


def second(mark: str) -> list[dict[str, Any]]:
    """What was answered before, asked again; the same persons under other ids, rightly and by guesses; and others."""
    again = [installations.request(n, request_id=f"A-{n}") for n in (1, 2)]
    same = [installations.request(n, request_id=f"{mark}-{n}") for n in (3, 4)]
    guessed = [installations.request(n, request_id=f"{mark}-{n}", street=f"{n} Guessed Rd") for n in (5, 6, 3)]
    fresh = [installations.request(n, request_id=f"{mark}-{n}") for n in range(20, 26)]
    return [*again, *same, *guessed, *fresh, *lost(mark)]


def lost(mark: str) -> list[dict[str, Any]]:
    return [
        installations.request(70 + n, request_id=f"{mark}-N-{n}", street=f"{n} Elsewhere Rd", **runs.NOBODY)
        for n in (1, 2)
    ]


@dataclass
class Side:
    """A home, with or without renewals, and what became of its batches."""

    installation: Installation
    batches: list[str] = field(default_factory=list)

    @property
    def home(self) -> Home:
        return self.installation.home

    def run(self, source: Path) -> State:
        with waved_through():
            name, state = runs.run(self.home, source)
        self.batches.append(name)
        return state

    def rows(self, name: str, folder: Path) -> list[dict[str, Any]]:
        """How each row ended, by the sealed accounting, without hashes."""
        plain = folder / "accounting.parquet"
        open_accounting(self.home, name, plain)
        found = pq.read_table(plain, columns=["ordinal", "outcome", "codes", "told"]).to_pylist()
        return sorted(found, key=lambda row: row["ordinal"])

    def counted(self) -> list[Any]:
        """What the ledger counts of each batch, and of whom."""
        with runs.ledger_of(self.home) as ledger:
            tried = [len(set(ledger.tries([name]))) for name in self.batches]
            periods = [ledger.counted_period(name) for name in self.batches]
            persons = ledger.persons(self.installation.agreement.requester.id, self.batches)
        return [tried, periods, persons]

    def told(self, person: int) -> list[tuple[str, int]]:
        """What a person is told of disclosures."""
        found = accounting.person(self.home, Clock(), str(person), "operator-1", WHY, every=True)
        return [(one["batch"], one["requests"]) for one in found]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Side, Side]:
    """Two copies of a home with a batch: the key of one is renewed before each of two more batches, to the other
    algorithm and back. The same submissions are taken in by both."""
    folder = tmp_path_factory.mktemp("sides")
    made = installations.make(folder / "plain")
    plain = Side(made)
    assert plain.run(made.submit(folder / "a", [*first(), *lost("A")])) is State.PUBLISHED
    runs.rejected(made, folder / "r")
    shutil.copytree(made.home.root, folder / "renewed", symlinks=True)
    other = Side(replace(made, home=open_home(folder / "renewed")), list(plain.batches))
    for mark, algorithm in (("B", Scheme.SHA3_256), ("C", Scheme.SHA256)):
        source = made.submit(folder / mark, second(mark))
        renew_hash(other.home, algorithm)
        assert [plain.run(source), other.run(source)] == [State.PUBLISHED] * 2
    return plain, other


@pytest.fixture
def renewed(sides: tuple[Side, Side], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Side:
    """A copy of the renewed home that a test may change."""
    shutil.copytree(sides[1].home.root, tmp_path / "home", symlinks=True)
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = replace(sides[1].installation, home=open_home(tmp_path / "home"))
    return Side(made, list(sides[1].batches))


def test_batches_end_as_if_the_key_had_stayed(sides: tuple[Side, Side], tmp_path: Path) -> None:
    plain, other = sides
    assert plain.batches == other.batches and other.home.hash_key.schemes == ("sha256", "sha3_256", "sha256")
    for name in plain.batches:
        assert plain.rows(name, tmp_path) == other.rows(name, tmp_path)
    ends = [row["outcome"] for row in other.rows(other.batches[1], tmp_path)]
    assert ends[:2] == ["already_disclosed"] * 2 and ends.count("released") >= 6


def test_limits_over_the_period_and_tries_count_across_it(sides: tuple[Side, Side]) -> None:
    plain, other = sides
    assert plain.counted() == other.counted()
    tried, periods, _ = other.counted()
    assert all(tried) and [one["requests"] for one in periods] == sorted(one["requests"] for one in periods)


def test_a_person_is_told_of_all_disclosures(sides: tuple[Side, Side]) -> None:
    plain, other = sides
    for person in (1, 3, 4, 5, 20, 70):
        assert plain.told(person) == other.told(person)
    assert [name for name, _ in other.told(4)] == other.batches and len(other.told(1)) == 1


def test_the_ledger_and_all_that_is_sealed_prove_it(sides: tuple[Side, Side], tmp_path: Path) -> None:
    for side in sides:
        with runs.ledger_of(side.home) as ledger:
            assert audit.verify(side.home, ledger, deep=True).problems == ()
            lines = export.write(ledger, tmp_path / "export")
            problems, head, _ = export.verify(tmp_path / "export", [], side.home.holders)
            assert problems == [] and head.seq == lines


def test_past_batches_are_decided_again_as_then(renewed: Side) -> None:
    for name in renewed.batches:
        found = replay(renewed.home, Clock(), name, who="operator-1")
        assert not found["differs"], name
    assert main.run(["explain", renewed.batches[0], "1"]) == 0


def test_claims_that_were_not_carried_over_rightly_are_found_by_the_accounting(
    renewed: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that renews could write any hashes, and events that fit them."""

    def wrongly(session: Session, bulk: Bulk, owner: str, _by: object) -> None:
        carrying._fill_rightly(session, bulk, owner, Generation(Scheme.SHA256, bytes(32)))  # type: ignore[attr-defined]

    home = renewed.home
    with monkeypatch.context() as patched:
        patched.setattr(carrying, "_fill_rightly", carrying._fill, raising=False)
        patched.setattr(carrying, "_fill", wrongly)
        renew_hash(home)
    with runs.ledger_of(home) as ledger:
        assert ledger.verify() == []
        found = audit.verify(home, ledger, deep=True).problems
    assert {p.place for p in found} == {f"accounting of batch {name}" for name in renewed.batches}
    assert all("carried over" in p.what for p in found)


def test_a_recall_over_batches_of_each_generation(renewed: Side, tmp_path: Path) -> None:
    home = renewed.home
    with runs.ledger_of(home) as ledger:
        enrol(home, ledger, order("all", 'effect = "recall"').encode(), "all.toml")
    found = lookback(home, Clock())
    said = found.summary
    assert said["affected"] == said["released"] and said["not_decided"] == [] and found.affected
    with runs.ledger_of(home) as ledger:
        assert said["persons"] == ledger.persons(renewed.installation.agreement.requester.id, renewed.batches)
        (looked,) = lookbacks.newest(home, 1)
        assert lookbacks.left(home, ledger, looked).rows == said["affected"]
    one = open_cases(home, Clock(), Chosen(renewed.batches[0], ("1", "2")), CaseReason.LOOKBACK, "operator-1")
    with runs.ledger_of(home) as ledger:
        assert lookbacks.left(home, ledger, looked).rows == said["affected"] - 2
    rest = open_cases(home, Clock(), Chosen(listed=found.affected), CaseReason.LOOKBACK, "operator-1")
    assert sum(sum(case.batches.values()) for case in (*one, *rest)) == said["affected"]
    renew_hash(home)
    with runs.ledger_of(home) as ledger:
        assert lookbacks.left(home, ledger, looked).rows == 0
        assert ledger.verify() == []
    with pytest.raises(Usage, match="RECALLED_ALREADY"):
        open_cases(home, Clock(), Chosen(listed=found.affected), CaseReason.LOOKBACK, "operator-1")


def test_a_list_has_the_hashes_of_then_and_no_others(renewed: Side, tmp_path: Path) -> None:
    home, name = renewed.home, renewed.batches[0]
    open_accounting(home, name, tmp_path / "plain")
    rows = pq.read_table(tmp_path / "plain", columns=["ordinal", "request_key", "person_key", "outcome"]).to_pylist()
    one, other = [row for row in rows if row["outcome"] == "released"][:2]

    def listed(**changes: object) -> Path:
        row = {k: v for k, v in one.items() if k != "outcome"} | {"batch": name, "codes": ["PLACEHOLDER"]} | changes
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / "list")
        seal_to_holder(home, tmp_path / "list", tmp_path / "list.age")
        return tmp_path / "list.age"

    newest = home.hash_key.generations()[1:]
    for changes in (
        {"person_key": other["person_key"]},
        {"request_key": other["request_key"]},
        {"request_key": keyed_hash(newest, one["request_key"])},
    ):
        with pytest.raises(BadInput, match="OTHER_ROWS"):
            open_cases(home, Clock(), Chosen(listed=listed(**changes)), CaseReason.LOOKBACK, "operator-1")
    (case,) = open_cases(home, Clock(), Chosen(listed=listed()), CaseReason.LOOKBACK, "operator-1")
    with runs.ledger_of(home) as ledger:
        assert case.batches == {name: 1} and ledger.recalled() == [keyed_hash(newest, one["request_key"])]


def test_whoever_has_a_corrected_record_is_told_whenever_it_was_disclosed(renewed: Side, tmp_path: Path) -> None:
    def moved(n: int) -> dict[str, Any]:
        home = {**installations.address(n), "street": f"{n} Elsewhere Rd", "unit": None}
        return {**installations.person(n), "homes": [home]}

    delta = write_delta(tmp_path / "d", [moved(7), moved(20), moved(60)], kind="correction", on=TODAY)
    registers.update_register(renewed.home, delta, TODAY)
    (due,) = corrections.due(renewed.home, Clock())
    assert set(due["batches"]) == set(renewed.batches) and due["batches"][renewed.batches[0]] == 1


SPOILED: dict[str, Callable[[HashKey], bytes]] = {
    "the key of before": lambda key: written(key.generations()[:2]),
    "the first key": lambda key: key.generations()[0].key,
    "the newest alone": lambda key: written(key.generations()[2:]),
    "another order": lambda key: written(key.generations()[::-1]),
}


@pytest.mark.parametrize("how", SPOILED)
def test_no_earlier_key_takes_its_place(renewed: Side, how: str) -> None:
    path = renewed.home.keys / "hash"
    path.write_bytes(SPOILED[how](renewed.home.hash_key))
    with runs.ledger_of(renewed.home) as ledger, pytest.raises(SluicegateError, match="KEY_OTHER"):
        keys.prove(renewed.home, ledger)


def test_a_crash_between_the_event_and_the_file_is_completed(renewed: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    home = renewed.home
    before = (home.keys / "hash").read_bytes()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with runs.ledger_of(home) as ledger:
        renewal.renew(home, ledger, KeyName.HASH)
        with monkeypatch.context() as patched:
            patched.setattr(renewal, "_put", crash)
            with pytest.raises(KeyboardInterrupt):
                renewal.record(home, ledger, signed(home, ledger))
        assert (home.keys / "hash").read_bytes() == before
        with pytest.raises(SluicegateError, match="KEY_OTHER"):
            keys.prove(home, ledger)
    assert main.run(["keys", "record"]) == 0 and not (home.keys / "hash.new").exists()
    with runs.ledger_of(home) as ledger:
        keys.prove(home, ledger)
        assert audit.verify(home, ledger, deep=True).problems == ()
    assert len(home.hash_key.schemes) == 4


def test_by_command_and_not_while_a_batch_is_under_way(renewed: Side, capsys: pytest.CaptureFixture[str]) -> None:
    home = renewed.home
    assert main.run(["keys", "renew", "holder_age", "--algorithm", "sha256"]) == 2
    assert main.run(["keys", "renew", "hash", "--algorithm", "sha3_256"]) == 0
    assert main.run(["keys", "renew", "hash", "--algorithm", "sha256"]) == 2
    held = runs.held(renewed.installation, home.root / "submissions", "U")
    for name in OPERATORS:
        assert main.run(["keys", "sign", "--key", str(home.keys / name)]) == 0
    given = [part for name in OPERATORS for part in ("--signature", f"keys.{name}.sig")]
    capsys.readouterr()
    assert main.run(["keys", "record", *given]) == 2
    assert "BATCH_UNDER_WAY" in (said := capsys.readouterr().err) and held in said
    sign(home, held, Decision.REJECT, signatures.load(home.keys / "operator-1"))
    assert main.run(["keys", "record", *given]) == 0
    assert home.hash_key.schemes[-1] is Scheme.SHA3_256 and main.run(["keys", "show"]) == 0
    assert (
        "Generations of the key hash, the oldest first: sha256, sha3_256, sha256, sha3_256." in capsys.readouterr().out
    )
    assert runs.run(home, held)[1] is State.REJECTED  # accounted for after the renewal, as it was hashed before
    with runs.ledger_of(home) as ledger:
        assert audit.verify(home, ledger, deep=True).problems == ()


def test_a_backup_that_is_being_made_has_the_ledger_and_the_key_of_before(renewed: Side) -> None:
    home, done = renewed.home, list[str]()

    def renew() -> None:
        renew_hash(home)
        done.append("renewed")

    with alone(home, staging.LOCK):  # as whoever makes a backup has it
        other = threading.Thread(target=renew)
        other.start()
        other.join(2)
        with runs.ledger_of(home) as ledger:
            keys.prove(home, ledger)
        assert done == [] and len(home.hash_key.schemes) == 3
    other.join(60)
    assert done == ["renewed"] and len(home.hash_key.schemes) == 4


def test_backups_of_before_and_after_are_restored_with_their_own_key(renewed: Side, tmp_path: Path) -> None:
    home, recovery = renewed.home, backups.recovery(tmp_path)
    before = backups.take(home, tmp_path / "before", recovery)
    renew_hash(home, Scheme.SHA3_256)
    after = backups.take(home, tmp_path / "after", recovery)
    for name, taken, generations in (("old", before, 3), ("new", after, 4)):
        found = restore.restore(taken.path, recovery.path, tmp_path / name)
        there = {one.what for one in found.problems if "outbox" not in one.what and "register version" not in one.what}
        assert there == set() and len(found.home.hash_key.schemes) == generations, name
        side = Side(replace(renewed.installation, home=found.home), renewed.batches)
        with runs.ledger_of(found.home) as ledger:
            keys.prove(found.home, ledger)
        assert side.counted() == renewed.counted() and side.told(3) == renewed.told(3), name


def test_a_key_that_is_lost_has_no_successor(renewed: Side) -> None:
    (renewed.home.keys / "hash").unlink()
    assert main.run(["keys", "renew", "hash"]) == 2 and not list(renewed.home.keys.glob("*.new"))


def test_what_was_asked_for_before_stays_as_it_was_and_is_still_proven(sides: tuple[Side, Side]) -> None:
    plain, other = sides
    one, same = (requests_path(side.home, side.batches[0]).read_bytes() for side in sides)
    assert one == same
    assert pq.read_table(requests_path(plain.home, plain.batches[1])) != pq.read_table(
        requests_path(other.home, other.batches[1])
    )


def test_an_unused_home_gets_another_key_and_no_generation_more(tmp_path: Path) -> None:
    made = installations.make(tmp_path / "home")
    before = made.home.hash_key
    renew_hash(made.home, Scheme.SHA3_256)
    assert made.home.hash_key.schemes == (Scheme.SHA3_256,)
    with pytest.raises(Usage, match="KEY_OTHER"):
        before.generations()
    assert HashKey.at(Place.file(made.home.keys / "hash")) == made.home.hash_key
