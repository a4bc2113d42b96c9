"""What is sealed to the holder is sealed anew to the present age key, content as it was; no earlier one stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.base import algorithms, signatures
from expectations.base.algorithms import Scheme
from expectations.base.digests import of_file
from expectations.base.errors import Usage
from flows import audit
from flows.audit import needed, resealing, settling
from flows.cli import main
from flows.evidence import keys, notes
from flows.evidence.store import accounting_path, evidence_list_path
from flows.home import holder, staging
from flows.home.tree import Home, alone, open_home
from flows.ledger.database.models import SealKind
from flows.ledger.roles import NotYourRole, Role
from flows.operations import restore
from flows.operations.doctor import examine
from flows.sandbox.home import OPERATORS
from flows.schedule import waiting
from pipelines import sealing
from pipelines.lake.workplace import locked_folder
from tests.factories import backups, runs, sealed
from tests.factories.ledgers import Office
from tests.factories.sealed import Sealed

RESEAL = ["keys", "reseal", "--operator", "operator-1"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    return sealed.make(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def home(base: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    shutil.copytree(base.home.root, tmp_path / "home")
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return open_home(tmp_path / "home")


def problems(home: Home) -> list[str]:
    with runs.ledger_of(home) as ledger:
        return [str(one) for one in audit.verify(home, ledger, deep=True).problems]


def opened_by(home: Home, identity: sealing.Identity) -> list[str]:
    return [path.name for path in needed.sealed_to_holder(home) if sealing.opens(path, identity.alone)]


def times(home: Home) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in home.root.glob("notes/*.age")}


def test_what_an_earlier_key_opens_is_sealed_anew_and_the_key_destroyed(
    home: Home, base: Sealed, capsys: pytest.CaptureFixture[str]
) -> None:
    before, bytes_before, ages = sealed.contents(home), sealed.bytes_of(home), times(home)
    files = list(needed.sealed_to_holder(home))
    folders = {str(path.relative_to(home.root)).partition("/")[0] for path in files}
    assert folders == {"accounting", "keys", "notes", "lookback", "recalls", "corrections"}
    assert len(opened_by(home, base.before)) == len(files) and problems(home) == []
    assert main.run([*RESEAL, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"sealed": len(files), "left": [], "need_earlier": [], "opened_by_none": [], "destroyed": 1}
    assert opened_by(home, base.before) == [] and len(opened_by(home, holder.identity(home))) == len(files)
    assert holder.identity(home).earlier == () and not list(home.keys.glob("*earlier*"))
    assert sealed.contents(home) == before and problems(home) == [] and times(home) == ages
    changed = {name for name, data in sealed.bytes_of(home).items() if data != bytes_before[name]}
    assert changed == {str(path.relative_to(home.root)) for path in files}  # the evidence has keys of its own
    assert not list(home.root.rglob(".anew"))
    with runs.ledger_of(home) as ledger:
        events = [event for event in ledger.events() if event["kind"] == "resealed"]
        told = [kind for event in events for kind, *_ in event["facts"]["files"]]
        assert {event["facts"]["by"] for event in events} == {"operator-1"} and set(told) == set(SealKind)
    assert main.run([*RESEAL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sealed"] == 0
    with runs.ledger_of(home) as ledger:
        assert [event for event in ledger.events() if event["kind"] == "resealed"] == events
    assert main.run(["explain", base.published, "1"]) == 0


def test_with_all_every_file_gets_another_seal_and_evidence_another_key(home: Home, base: Sealed) -> None:
    before, as_bytes = sealed.contents(home), sealed.bytes_of(home)
    batch = {name: keys.identity(home, name) for name in (base.published, base.held)}
    assert main.run([*RESEAL, "--all"]) == 0
    assert sealed.contents(home) == before and problems(home) == []
    now = sealed.bytes_of(home)
    assert now.keys() == as_bytes.keys()
    assert [name for name, data in now.items() if data == as_bytes[name]] == []
    of_it = list(home.root.glob(f"evidence/{base.published}.*.age"))
    assert len(of_it) > 3 and not any(sealing.opens(path, batch[base.published]) for path in of_it)
    assert keys.identity(home, base.published) != batch[base.published]
    assert keys.identity(home, base.held) == batch[base.held]  # no list of its evidence is there yet
    assert main.run(["explain", base.published, "1"]) == 0 and main.run(["replay", base.published]) in (0, 3)


def test_a_batch_under_way_is_left_alone_and_named(
    home: Home, base: Sealed, capsys: pytest.CaptureFixture[str]
) -> None:
    with alone(home, base.published):
        assert main.run([*RESEAL, "--json"]) == 3
    said = json.loads(capsys.readouterr().out)
    assert said["left"] == [f"batch {base.published}"] and said["destroyed"] == 0
    assert sorted(said["need_earlier"]) == sorted([f"{base.published}.age", f"{base.published}.parquet.age"])
    assert len(holder.identity(home).earlier) == 1 and problems(home) == []
    with alone(home, "recall"):
        assert main.run(RESEAL) == 3
    assert "Left as it is: recall cases" in capsys.readouterr().out
    assert main.run(RESEAL) == 0 and holder.identity(home).earlier == ()


def test_somebody_who_seals_at_this_moment_keeps_the_earlier_keys(home: Home) -> None:
    with locked_folder(home.root / "lookback", ".list."):
        assert main.run(RESEAL) == 0
        assert len(holder.identity(home).earlier) == 1
    assert main.run(RESEAL) == 0 and holder.identity(home).earlier == ()


def test_what_is_not_what_the_ledger_knows_is_left_and_named(
    home: Home, base: Sealed, capsys: pytest.CaptureFixture[str]
) -> None:
    path = accounting_path(home, base.published)
    sealing.seal_file(home.root / "sluicegate.toml", path, [base.before.recipient])
    data = path.read_bytes()
    (home.root / "notes" / "note-x.age").write_bytes(b"no sealed file")
    assert main.run([*RESEAL, "--json"]) == 3
    said = json.loads(capsys.readouterr().out)
    assert said["left"] == [f"accounting of {base.published}"] and said["need_earlier"] == [path.name]
    assert said["opened_by_none"] == ["note-x.age"] and said["destroyed"] == 0
    assert path.read_bytes() == data and len(holder.identity(home).earlier) == 1


def test_who_may_not_renew_keys_may_not_have_files_sealed_anew(home: Home, base: Sealed) -> None:
    before = sealed.bytes_of(home)
    with runs.ledger_of(home) as ledger:
        with pytest.raises(Usage):
            resealing.reseal(home, ledger, "nobody")
        office = Office(ledger)
        office.keys = {name: signatures.load(home.keys / name) for name in OPERATORS}
        office.keys["viewer"] = office.new_key()
        said = ledger.operator_message("viewer", office.line("viewer"), [Role.VIEWER])
        signed = office.signed(said, OPERATORS, signatures.OPERATOR)
        ledger.enrol_operator("viewer", office.line("viewer"), signed, [Role.VIEWER])
        with pytest.raises(NotYourRole):
            resealing.reseal(home, ledger, "viewer")
        kind, facts = ledger.events()[-1]["kind"], ledger.events()[-1]["facts"]
        assert (kind, facts["by"], facts["act"]) == ("denied", "viewer", "home")
    assert sealed.bytes_of(home) == before


def test_a_key_that_was_renewed_twice_leaves_nothing_either(home: Home, base: Sealed) -> None:
    sealed.renew(home)
    before = sealed.contents(home)
    assert len(holder.identity(home).earlier) == 2
    assert main.run(RESEAL) == 0
    assert sealed.contents(home) == before and holder.identity(home).earlier == () and problems(home) == []


@pytest.fixture
def chosen(home: Home) -> Iterator[Scheme]:
    """Another algorithm, as two operators chose it since."""
    before, other = algorithms.in_force(), next(one for one in Scheme if one is not algorithms.FIRST)
    with runs.ledger_of(home) as ledger:
        said = ledger.scheme_message(other)
        signed = {n: signatures.sign(said, signatures.load(home.keys / n), signatures.SCHEME) for n in OPERATORS}
        ledger.rehash(other, signed)
    yield other
    algorithms.use(before)


def test_digests_by_another_algorithm_are_compared_by_their_own(home: Home, base: Sealed, chosen: Scheme) -> None:
    """A list of evidence has all of its digests by one."""
    before = sealed.contents(home)
    for options, scheme in (([], algorithms.FIRST), (["--all"], chosen)):
        assert main.run([*RESEAL, *options]) == 0
        assert problems(home) == [] and sealed.contents(home) == before
        listed = json.loads(evidence_list_path(home, base.published).read_bytes())
        assert algorithms.named(listed["key"])[0] is scheme
        found = {name: of_file(home.root / "evidence" / name, scheme) for name in listed["files"]}
        assert listed["files"] == found and len(found) > 3


def test_doctor_says_what_needs_an_earlier_key(home: Home) -> None:
    def said() -> list[tuple[str, str]]:
        return [(one.level, one.what) for one in examine() if "earlier age key" in one.what]

    count = len(list(needed.sealed_to_holder(home)))
    assert said() == [("warn", f"earlier age keys that are kept: 1; of {count} sealed files, {count} need one")]
    assert main.run(RESEAL) == 0
    assert said() == [("ok", "no earlier age key is kept")]


def test_an_earlier_key_waits_for_people_until_it_is_destroyed(home: Home) -> None:
    def kept() -> list[str]:
        return [one["to_do"] for one in waiting.seen(home) if one["kind"] == "earlier key"]

    assert kept() == ["seal anew what needs it, and destroy it: sluicegate keys reseal --operator NAME"]
    assert main.run(RESEAL) == 0 and kept() == []


def test_a_note_written_after_a_crash_is_not_lost_with_the_key(
    home: Home, base: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process was killed after the event, before the batch's new key was in its place; somebody writes a note."""

    def killed(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, runs.ledger_of(home) as ledger:
        patch.setattr(settling, "_evidence", killed)
        with pytest.raises(KeyboardInterrupt):
            resealing.reseal(home, ledger, "operator-1", every=True)
    digest = notes.store(home, "once more", base.published)
    assert problems(home) == [] and notes.text(home, digest, base.published) == "once more"
    assert staging.all_waiting(home) == []
    assert main.run([*RESEAL, "--all"]) == 0 and notes.text(home, digest, base.published) == "once more"


def test_backups_are_whole_before_between_and_after(
    home: Home, base: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is restored with the keys that lie in it; what a killed process began is completed before one is made."""
    key, contents = backups.recovery(tmp_path), sealed.contents(home)
    made = {"before": backups.take(home, tmp_path / "backups", key)}

    def killed(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, runs.ledger_of(home) as ledger:
        patch.setattr(settling, "_one", killed)
        with pytest.raises(KeyboardInterrupt):
            resealing.reseal(home, ledger, "operator-1")
    made["between"] = backups.take(home, tmp_path / "backups", key)
    assert main.run(RESEAL) == 0
    made["after"] = backups.take(home, tmp_path / "backups", key)
    for when, one in made.items():
        assert one.manifest.differs == [], when
        there = restore.restore(one.path, key.path, tmp_path / when).home
        assert sealed.contents(there) == contents, when
        assert [p for p in problems(there) if "sealed" in p or "evidence" in p or "affected" in p] == [], when
        assert len(holder.identity(there).earlier) == (when != "after"), when
