"""Tampering with what a home keeps, one way at a time: `ledger verify` finds each, and names the place."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base import signatures
from expectations.base.digests import canonical_json, of_bytes, of_file
from expectations.base.errors import BadInput
from expectations.contracts.stages import ACCOUNTED
from flows import audit
from flows.audit import export, signed_heads
from flows.cli import main
from flows.home.tree import HOLDER_AGE, HOLDER_SIGNING, Home
from flows.ledger.chain import GENESIS, Problem
from flows.ledger.decisions import Reason
from pipelines import sealing
from tests.factories import installations, runs
from tests.factories.runs import flip

DAYS = ("2030-01-01", "2030-01-02", "2030-01-03")


@dataclass(frozen=True)
class Stage:
    """A home with a published batch and a rejected one, and signed heads of three days; what the tests copy and
    spoil."""

    home: Home
    published: str
    rejected: str
    seqs: tuple[int, ...]  # the last event that each signed head saw
    accounted: int  # the event that accounts for the published batch
    last: int  # the newest event
    decided: int  # the event of the decision

    def filled(self, text: str) -> str:
        """A text of the table, with the names and numbers of this home."""
        return text.format(
            *self.seqs,
            p=self.published,
            r=self.rejected,
            a=self.accounted,
            after=self.accounted + 1,
            new=self.last + 1,
            d=self.decided,
        )

    @property
    def package(self) -> Path:
        return self.home.outbox / self.published

    def accounting(self, batch: str) -> Path:
        return self.home.root / "accounting" / f"{batch}.parquet.age"

    def evidence(self, name: str) -> Path:
        return self.home.root / "evidence" / name

    def key(self, batch: str) -> Path:
        return self.home.keys / "evidence" / f"{batch}.age"

    def signed_head(self, number: int) -> Path:
        return self.home.root / "checkpoints" / f"{DAYS[number]}.json"

    def sql(self, *statements: str) -> None:
        connection = sqlite3.connect(self.home.root / "ledger.db")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    def rewrite(self, change: str = "") -> None:
        """Changes an event, then writes the whole chain anew, so that it fits itself."""
        if change:
            self.sql(change)
        connection = sqlite3.connect(self.home.root / "ledger.db")
        before = GENESIS
        for seq, at, batch, kind, facts in connection.execute(
            "SELECT seq, at, batch, kind, facts FROM events ORDER BY seq"
        ).fetchall():
            digest = of_bytes(canonical_json([seq, at, batch, kind, facts, before]))
            connection.execute("UPDATE events SET previous = ?, hash = ? WHERE seq = ?", (before, digest, seq))
            before = digest
        connection.commit()
        connection.close()

    def pretend(self, before: str, now: str) -> None:
        """Puts another digest of a sealed file wherever the ledger has it, and writes the whole chain anew."""
        self.sql(f"UPDATE seals SET digest = replace(digest, '{before}', '{now}')")
        self.rewrite(f"UPDATE events SET facts = replace(facts, '{before}', '{now}')")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("whole")
    installation = installations.make(folder / "home")
    home, seqs = installation.home, []

    def sign_head(day: str) -> None:
        with runs.ledger_of(home, runs.at(day)) as ledger:
            assert signed_heads.write(home, ledger).name == f"{day}.json"
            seqs.append(ledger.head().seq)

    sign_head(DAYS[0])
    published = runs.released(installation, folder / "a", 1, 12)
    sign_head(DAYS[1])
    rejected = runs.rejected(installation, folder / "b")
    sign_head(DAYS[2])
    with runs.ledger_of(home) as ledger:
        ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
        accounted = next(e["seq"] for e in ledger.events(published) if e["kind"] == "accounted")
        last = ledger.head().seq
        decided = next(e["seq"] for e in ledger.events(rejected) if e["kind"] == "decision")
    stage = Stage(home, published, rejected, tuple(seqs), accounted, last, decided)
    assert problems(home) == [] and problems(home, deep=True) == []
    return stage


@pytest.fixture
def stage(whole: Stage, tmp_path: Path) -> Stage:
    return replace(whole, home=runs.copy(whole.home, tmp_path / "home"))


def problems(home: Home, *, deep: bool = False, copies: tuple[Path, ...] = ()) -> list[Problem]:
    with runs.ledger_of(home) as ledger:
        return list(audit.verify(home, ledger, deep=deep, copies=copies).problems)


def _relist(s: Stage) -> None:
    """Changes a sealed file, and the list so that it fits."""
    path, file = s.evidence(f"{s.published}.json"), s.evidence(f"{s.published}.parquet.age")
    flip(file)
    said = json.loads(path.read_text())
    said["files"][file.name] = of_file(file)
    path.write_bytes(canonical_json(said))


def _swap(a: Path, b: Path) -> None:
    between = a.with_name("between")
    a.rename(between)
    b.rename(a)
    between.rename(b)


def _resign(path: Path, key: Path, namespace: str = signatures.SIGNED_HEAD) -> None:
    signature = signatures.sign(path.read_bytes(), signatures.load(key), namespace)
    signed_heads.signature_of(path).write_text(signature)


def _forge(s: Stage, number: int, **changes: object) -> None:
    """A signed head that says something else, signed with the holder's own key."""
    path = s.signed_head(number)
    path.write_bytes(canonical_json({**json.loads(path.read_text()), **changes}))
    _resign(path, s.home.keys / HOLDER_SIGNING)


def _drop_head(s: Stage, number: int) -> None:
    signed_heads.signature_of(s.signed_head(number)).unlink()
    s.signed_head(number).unlink()


# what is done, the place that is named, and a word of what is said; see Stage.filled
Tamper = Callable[[Stage], object]
TAMPERS: dict[str, tuple[Tamper, str, str]] = {
    "accounting: a bit": (lambda s: flip(s.accounting(s.published)), "accounting of batch {p}", "changed"),
    "accounting: gone": (lambda s: s.accounting(s.rejected).unlink(), "accounting of batch {r}", "missing"),
    "accounting: swapped": (
        lambda s: _swap(s.accounting(s.published), s.accounting(s.rejected)),
        "accounting of batch {p}",
        "{r}",
    ),
    "accounting: a stranger": (
        lambda s: shutil.copy(s.accounting(s.rejected), s.accounting("b-0")),
        "accounting/b-0.parquet.age",
        "no batch",
    ),
    "evidence: a bit": (
        lambda s: flip(s.evidence(f"{s.published}.parquet.age")),
        "evidence/{p}.parquet.age",
        "changed",
    ),
    "evidence: a file gone": (
        lambda s: s.evidence(f"{s.rejected}.letter.toml.age").unlink(),
        "evidence/{r}.letter.toml.age",
        "missing",
    ),
    "evidence: swapped": (
        lambda s: _swap(s.evidence(f"{s.published}.earlier.json.age"), s.evidence(f"{s.rejected}.earlier.json.age")),
        "evidence/{r}.earlier.json.age",
        "another batch's",
    ),
    "evidence: a file more": (
        lambda s: s.evidence(f"{s.published}.more.age").write_text("x"),
        "evidence/{p}.more.age",
        "not on the list",
    ),
    "evidence: the list": (lambda s: flip(s.evidence(f"{s.published}.json")), "evidence of batch {p}", "changed"),
    "evidence: the list gone": (
        lambda s: s.evidence(f"{s.published}.json").unlink(),
        "evidence of batch {p}",
        "missing",
    ),
    "evidence: a bit, and the list made to fit": (_relist, "evidence of batch {p}", "changed"),
    "evidence: the key, a bit": (lambda s: flip(s.key(s.published)), "keys/evidence/{p}.age", "changed"),
    "evidence: the key gone": (lambda s: s.key(s.published).unlink(), "keys/evidence/{p}.age", "missing"),
    "evidence: keys swapped": (
        lambda s: _swap(s.key(s.published), s.key(s.rejected)),
        "keys/evidence/{r}.age",
        "changed",
    ),
    "evidence: a stranger": (lambda s: s.evidence("b-0.json").write_text("{}"), "evidence/b-0.json", "no batch"),
    "package: a bit": (lambda s: flip(s.package / "addresses.csv.age"), "package of batch {p}", "addresses.csv.age"),
    "package: the manifest": (lambda s: flip(s.package / "manifest.json"), "package of batch {p}", "manifest"),
    "package: a file gone": (lambda s: (s.package / "addresses.csv.age").unlink(), "package of batch {p}", "missing"),
    "package: a file more": (lambda s: (s.package / "more").write_text("x"), "package of batch {p}", "does not belong"),
    "package: gone": (lambda s: shutil.rmtree(s.package), "package of batch {p}", "not in the outbox"),
    "package: another's place": (
        lambda s: s.package.rename(s.home.outbox / s.rejected),
        "package of batch {r}",
        "rejected",
    ),
    "package: a stranger": (lambda s: shutil.copytree(s.package, s.home.outbox / "b-0"), "outbox/b-0", "no batch"),
    "event: changed": (
        lambda s: s.sql(f"UPDATE events SET facts = replace(facts, '14', '13') WHERE seq = {s.accounted}"),
        "event {a}",
        "changed",
    ),
    "event: dropped": (lambda s: s.sql(f"DELETE FROM events WHERE seq = {s.accounted}"), "event {after}", "missing"),
    "event: put in": (
        lambda s: s.sql(
            f"INSERT INTO events SELECT {s.last + 1}, at, batch, kind, facts, previous, hash, scheme FROM events"
            f" WHERE seq = {s.accounted}"
        ),
        "event {new}",
        "does not follow",
    ),
    "events: moved": (
        lambda s: s.sql(
            *(
                f"UPDATE events SET seq = {b} WHERE seq = {a}"
                for a, b in ((s.accounted, -1), (s.accounted + 1, s.accounted), (-1, s.accounted + 1))
            )
        ),
        "event {a}",
        "does not follow",
    ),
    "events: one made another, the chain written anew": (
        lambda s: s.rewrite(f"UPDATE events SET kind = 'tries' WHERE seq = {s.accounted}"),
        "event {1}",
        "between event {0}",
    ),
    "events: the end cut off": (lambda s: s.sql(f"DELETE FROM events WHERE seq > {s.seqs[1]}"), "event {2}", "ends"),
    "ledger: another Merkle root": (
        lambda s: s.sql(f"UPDATE batches SET merkle_root = '{'a' * 64}' WHERE name = '{s.rejected}'"),
        "batch {r}",
        "batches.merkle_root",
    ),
    "ledger: no Merkle root": (
        lambda s: s.sql(f"UPDATE batches SET merkle_root = NULL WHERE name = '{s.published}'"),
        "batch {p}",
        "batches.merkle_root",
    ),
    "decision: forged": (
        lambda s: s.sql("UPDATE decisions SET decision = 'drop'"),
        "decision {d}",
        "decisions.decision",
    ),
    "decision: a signature replayed": (
        lambda s: s.sql(
            "INSERT INTO decisions SELECT 2, at, batch, hold + 1, checkpoint, content_digest, decision, reason,"
            " operator FROM decisions"
        ),
        "decision 2",
        "no event",
    ),
    "instrument: a byte": (
        lambda s: s.sql("UPDATE instruments SET body = body || x'0a' WHERE seq = (SELECT min(seq) FROM instruments)"),
        "instrument 4",
        "instruments.body",
    ),
    "signed head: a bit": (lambda s: flip(s.signed_head(1), 40), f"signed head {DAYS[1]}", "signature"),
    "signed head: unsigned": (
        lambda s: signed_heads.signature_of(s.signed_head(1)).unlink(),
        f"signed head {DAYS[1]}",
        "missing",
    ),
    "signed head: signed by another": (
        lambda s: _resign(s.signed_head(1), s.home.keys / "operator-1"),
        f"signed head {DAYS[1]}",
        "signature",
    ),
    "signed head: a signature of another use": (
        lambda s: _resign(s.signed_head(1), s.home.keys / HOLDER_SIGNING, signatures.MANIFEST),
        f"signed head {DAYS[1]}",
        "signature",
    ),
    "signed head: another's signature": (
        lambda s: shutil.copy(signed_heads.signature_of(s.signed_head(0)), signed_heads.signature_of(s.signed_head(1))),
        f"signed head {DAYS[1]}",
        "signature",
    ),
    "signed head: dropped": (lambda s: _drop_head(s, 1), f"signed head {DAYS[2]}", "the one before it"),
    "signed head: the first dropped": (lambda s: _drop_head(s, 0), f"signed head {DAYS[1]}", "the one before it"),
    "signed head: its file gone": (
        lambda s: s.signed_head(2).unlink(),
        f"signed head {DAYS[2]}",
        "its signature is there",
    ),
    "signed head: replaced by the holder": (
        lambda s: _forge(s, 0, at=f"{DAYS[0]}T13:00:00+00:00"),
        f"signed head {DAYS[1]}",
        "replaced",
    ),
    "signed head: another root": (lambda s: _forge(s, 2, root="0" * 64), "event {2}", "vouches"),
    "signed head: another hash": (lambda s: _forge(s, 2, hash="0" * 64), "event {2}", "written anew"),
    "signed head: another day": (lambda s: _rename(s), "signed head 2029-01-01", "another day"),
}


def _rename(s: Stage) -> None:
    path = s.signed_head(0).with_name("2029-01-01.json")
    signed_heads.signature_of(s.signed_head(0)).rename(signed_heads.signature_of(path))
    s.signed_head(0).rename(path)


@pytest.mark.parametrize("what", TAMPERS)
def test_what_was_tampered_with_is_found_with_its_place(stage: Stage, what: str) -> None:
    tamper, place, word = TAMPERS[what]
    tamper(stage)
    found = problems(stage.home)
    where, said = stage.filled(place), stage.filled(word)
    assert any(p.place == where and said in p.what for p in found), "\n".join(map(str, found))


def test_what_is_as_it_was_is_no_problem(stage: Stage) -> None:
    assert problems(stage.home, copies=(stage.signed_head(0), stage.signed_head(2))) == []


def test_the_newest_head_taken_away_is_found_by_a_copy(stage: Stage, tmp_path: Path) -> None:
    copies = shutil.copytree(stage.home.root / "checkpoints", tmp_path / "copies")
    copy = copies / f"{DAYS[2]}.json"
    _drop_head(stage, 2)
    assert problems(stage.home) == []  # nothing in the home tells of it
    assert [p.place for p in problems(stage.home, copies=(copy,))] == [f"signed head {DAYS[2]}"]
    stage.rewrite(f"UPDATE events SET at = 'x' WHERE seq = {stage.seqs[2]}")
    assert f"event {stage.seqs[2]}" in {p.place for p in problems(stage.home, copies=(copy,))}


def test_an_accounting_made_anew_with_all_that_tells_of_it_is_found_by_counting(stage: Stage, tmp_path: Path) -> None:
    """Whoever has the public key can seal, and who can write the ledger can make the chain fit: the rows give it
    away."""
    identity, sealed = sealing.load_identity(stage.home.keys / HOLDER_AGE), stage.accounting(stage.published)
    before = of_file(sealed)

    def resealed() -> list[Problem]:
        there = of_file(sealed)
        sealing.seal_file(tmp_path / "changed.parquet", sealed, [identity.recipient])
        stage.pretend(there, of_file(sealed))
        shutil.rmtree(stage.home.root / "checkpoints", ignore_errors=True)
        assert problems(stage.home) == []
        return problems(stage.home, deep=True)

    def changed(rows: list[dict[str, object]]) -> list[Problem]:
        pq.write_table(pa.Table.from_pylist(rows, schema=ACCOUNTED), tmp_path / "changed.parquet")
        return resealed()

    sealing.open_file(sealed, tmp_path / "plain.parquet", identity)
    rows = pq.read_table(tmp_path / "plain.parquet").to_pylist()
    assert changed(rows) == [] and of_file(sealed) != before
    found = changed([{**rows[0], "person_key": "0" * 64}, *rows[1:]])
    assert {p.place for p in found} == {f"accounting of batch {stage.published}"}
    assert {p.what for p in found} == {
        "its Merkle root is not what the ledger says",
        "its released rows are not those whose keys were claimed",
    }
    whats = {p.what for p in changed([{**rows[0], "outcome": "held", "codes": ["NO_NUMBER"]}, *rows[1:-1]])}
    assert {f"its {n} not what the ledger says" for n in ("rows are", "outcomes are", "codes are")} <= whats
    assert "order of their ordinals" in changed([*rows[1:], rows[0]])[0].what
    (tmp_path / "changed.parquet").write_text("no Parquet")
    assert [p.place for p in resealed()] == [f"accounting of batch {stage.published}"]
    assert list(stage.home.lake.glob(".view-*")) == []


def test_a_key_of_another_batch_under_this_ones_name_is_found_by_opening(stage: Stage) -> None:
    key, listed = stage.key(stage.published), stage.evidence(f"{stage.published}.json")
    before, old_list, old_key = of_file(listed), listed.read_text(), of_file(key)
    shutil.copy(stage.key(stage.rejected), key)
    listed.write_text(old_list.replace(old_key, of_file(key)))
    stage.pretend(before, of_file(listed))
    shutil.rmtree(stage.home.root / "checkpoints")
    assert problems(stage.home) == []
    assert [p.place for p in problems(stage.home, deep=True)] == [f"evidence of batch {stage.published}"]


@pytest.fixture(scope="module")
def handed_out(whole: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody outside has: an export, signed heads, the holder's public key."""
    folder = tmp_path_factory.mktemp("outside")
    with runs.ledger_of(whole.home) as ledger:
        assert export.write(ledger, folder / "chain.jsonl") == whole.last
    shutil.copytree(whole.home.root / "checkpoints", folder / "checkpoints")
    shutil.copy(whole.home.keys / f"{HOLDER_SIGNING}.pub", folder / "holder.pub")
    return folder


def outside(folder: Path, chain: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, str]]]:
    """Exit code and problems of `ledger verify --export`, with two of the three signed heads."""
    marks = [a for n in (0, 2) for a in ("--head", str(folder / "checkpoints" / f"{DAYS[n]}.json"))]
    capsys.readouterr()
    code = main.run(
        ["ledger", "verify", "--export", str(chain), *marks, "--holder", str(folder / "holder.pub"), "--json"]
    )
    return code, json.loads(capsys.readouterr().out)["problems"]


LINES: dict[str, tuple[Callable[[Stage, list[str]], list[str]], str]] = {
    "a bit": (lambda s, lines: [line.replace('\\"rows\\":14', '\\"rows\\":15') for line in lines], "event {a}"),
    "dropped": (lambda s, lines: lines[: s.accounted - 1] + lines[s.accounted :], "event {after}"),
    "put in": (lambda s, lines: [*lines[: s.accounted], lines[s.accounted - 1], *lines[s.accounted :]], "event {a}"),
    "moved": (
        lambda s, lines: [
            *lines[: s.accounted - 1],
            lines[s.accounted],
            lines[s.accounted - 1],
            *lines[s.accounted + 1 :],
        ],
        "event {after}",
    ),
    "cut off": (lambda s, lines: lines[: s.seqs[2] - 1], "event {2}"),
    "no event": (lambda s, lines: [*lines[:4], "{", *lines[5:]], "line 5"),
    "half a character": (
        lambda s, lines: [*lines[:4], lines[4].replace('"kind": "', '"kind": "\\ud800'), *lines[5:]],
        "line 5",
    ),
    "a number for a text": (
        lambda s, lines: [*lines[:4], lines[4].replace('"seq": 5', '"seq": "5"'), *lines[5:]],
        "line 5",
    ),
    "written anew": (lambda s, lines: _anew(lines, s.accounted), "event {2}"),
    "an impossible step, written anew": (lambda s, lines: _anew(lines, s.accounted, kind="published"), "event {a}"),
}


def _anew(lines: list[str], seq: int, kind: str = "tries") -> list[str]:
    events, before = [json.loads(line) for line in lines], GENESIS
    events[seq - 1]["kind"] = kind
    for e in events:
        e["previous"] = before
        e["hash"] = before = of_bytes(
            canonical_json([e[k] for k in ("seq", "at", "batch", "kind", "facts", "previous")])
        )
    return [json.dumps(e) for e in events]


@pytest.mark.parametrize("what", LINES)
def test_an_export_is_verified_anywhere(
    what: str,
    whole: Stage,
    handed_out: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "nowhere"))
    lines = (handed_out / "chain.jsonl").read_text().splitlines()
    assert outside(handed_out, handed_out / "chain.jsonl", capsys) == (0, [])
    change, place = LINES[what]
    (tmp_path / "chain.jsonl").write_text("\n".join(change(whole, lines)) + "\n")
    code, found = outside(handed_out, tmp_path / "chain.jsonl", capsys)
    assert code == 1 and whole.filled(place) in {p["place"] for p in found}, found


def test_ssh_keygen_verifies_a_signed_head(handed_out: Path, tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text(f"holder {(handed_out / 'holder.pub').read_text()}")
    path = handed_out / "checkpoints" / f"{DAYS[1]}.json"
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-n",
        signatures.SIGNED_HEAD,
        "-I",
        "holder",
        "-f",
        str(tmp_path / "allowed"),
    ]
    done = subprocess.run(
        [*command, "-s", str(signed_heads.signature_of(path))], input=path.read_bytes(), capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_heads_of_one_day_and_of_a_day_without_events(stage: Stage) -> None:
    with runs.ledger_of(stage.home, runs.at("2030-01-04")) as ledger:
        first = signed_heads.write(stage.home, ledger)
        assert signed_heads.write(stage.home, ledger) == first  # nothing happened
        ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
        assert signed_heads.write(stage.home, ledger).name == "2030-01-04-2.json"
    with runs.ledger_of(stage.home, runs.at("2030-01-05")) as ledger:
        assert signed_heads.write(stage.home, ledger).name == "2030-01-05.json"
        flip(first, 40)
        with pytest.raises(BadInput, match="CHECKPOINT_BROKEN"):
            signed_heads.write(stage.home, ledger)
