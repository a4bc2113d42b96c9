"""Edits of what a home keeps beside its ledger: each is a problem with its place, and none ends verification."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows import audit
from flows.audit import signed_heads
from flows.batch.receive import receive
from flows.home.tree import CONFIG, Home, open_home
from flows.ledger.chain import Problem
from flows.registry import enrolled
from pipelines import lake
from tests.factories import installations, runs
from tests.factories.installations import Installation
from tests.factories.runs import flip


@dataclass(frozen=True)
class Kept:
    """A home with a released batch and a signed head, which is copied to a folder elsewhere."""

    home: Home
    batch: str
    elsewhere: Path

    def at(self, place: str) -> Path:
        return self.home.root / place.format(b=self.batch)

    @property
    def register(self) -> Path:
        return next(p for p in self.home.prepared.glob("r-*") if p.is_dir())

    @property
    def head(self) -> Path:
        return max((self.home.root / "checkpoints").glob("*.json"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    folder = tmp_path_factory.mktemp("verified")
    made = installations.make(folder / "home")
    config = made.home.root / CONFIG
    config.write_text(config.read_text() + f'signed_heads = ["{folder / "elsewhere"}"]\n')
    home = open_home(made.home.root)
    name = runs.released(made, folder / "a", 1, 12)
    with runs.ledger_of(home) as ledger:
        signed_heads.write(home, ledger)
    (home.root / "nightly").mkdir()
    (home.root / "nightly" / "night.json").write_text(json.dumps({"signed_head": kept_head(home).stem}))
    assert problems(home) == [] and problems(home, deep=True) == []
    return home, name


def kept_head(home: Home) -> Path:
    return max((home.root / "checkpoints").glob("*.json"))


@pytest.fixture
def kept(whole: tuple[Home, str], tmp_path: Path) -> Kept:
    home, name = whole
    shutil.copytree(home.root, tmp_path / "home", ignore=shutil.ignore_patterns("prefect", "inbox"))
    (tmp_path / "home" / "inbox").mkdir()
    text = (home.root / CONFIG).read_text().replace(str(home.root), str(tmp_path / "home"))
    (tmp_path / "home" / CONFIG).write_text(text)
    return Kept(open_home(tmp_path / "home"), name, home.root.parent / "elsewhere")


def problems(home: Home, *, deep: bool = False) -> list[Problem]:
    with runs.ledger_of(home) as ledger:
        return list(audit.verify(home, ledger, deep=deep).problems)


def hidden_flip(path: Path) -> None:
    """One bit, and the time of writing set back."""
    before = path.stat()
    flip(path, before.st_size // 2)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def edited(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))


def a_part(kept: Kept) -> Path:
    return Path(lake.stated(kept.register).paths("persons")[0])


def drop_head(kept: Kept) -> None:
    signed_heads.signature_of(kept.head).unlink()
    kept.head.unlink()


MATCHING, MORE = "verdicts/{b}/matching.json", "verdicts/{b}/more.json"
EDITS: dict[str, tuple[Callable[[Kept], object], str, str]] = {
    "a verdict": (
        lambda k: edited(k.at("verdicts/{b}/intake.json"), lambda v: v.update(status="HOLD")),
        "verdicts/{b}/intake.json",
        "changed",
    ),
    "a verdict gone": (
        lambda k: k.at("verdicts/{b}/eligibility.json").unlink(),
        "verdicts/{b}/eligibility.json",
        "missing",
    ),
    "a verdict of nobody": (lambda k: k.at("verdicts/b-0").mkdir(), "verdicts/b-0", "no batch"),
    "a result of nothing": (
        lambda k: k.at("verdicts/{b}/more.json").write_text("{}"),
        "verdicts/{b}/more.json",
        "no result",
    ),
    "the rows by outcome": (
        lambda k: edited(k.at("verdicts/{b}/outcomes.json"), lambda v: v.update(released=99)),
        "verdicts/{b}/outcomes.json",
        "accounted",
    ),
    "the hash key, a bit": (lambda k: flip(k.at("keys/hash")), "keys/hash", "another key"),
    "the hash key gone": (lambda k: k.at("keys/hash").unlink(), "keys/hash", "missing"),
    "a register part": (lambda k: hidden_flip(a_part(k)), "register/{r}", "was changed"),
    "a register part gone": (lambda k: a_part(k).unlink(), "register/{r}", "is missing"),
    "the newest signed head, while a copy is elsewhere": (drop_head, "signed head {h}", "not among the home's"),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_found_with_its_place(kept: Kept, what: str) -> None:
    edit, place, word = EDITS[what]
    where = place.format(b=kept.batch, r=kept.register.name, h=kept.head.stem)
    edit(kept)
    found = problems(kept.home)
    assert any(p.place == where and word in p.what for p in found), "\n".join(map(str, found))


def test_the_newest_signed_head_leaves_a_trace_in_the_summary_of_the_night(kept: Kept) -> None:
    """No copy is elsewhere; whoever removes the head must know of the summary too."""
    (kept.home.root / CONFIG).write_text(
        (kept.home.root / CONFIG).read_text().replace("signed_heads", "# signed_heads")
    )
    home, name = open_home(kept.home.root), kept.head.stem
    drop_head(kept)
    assert [p.place for p in problems(home)] == [f"signed head {name}"]


def folder_for(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.mkdir()
    (path / "inside").mkdir()


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\x00{[" * 2000)


def deep_json(path: Path) -> None:
    path.write_bytes(b"[" * 200_000)


STORED = (
    *("verdicts/{b}/intake.json", "verdicts/{b}/outcomes.json", "evidence/{b}.json", "evidence/{b}.parquet.age"),
    *("accounting/{b}.parquet.age", "keys/evidence/{b}.age", "keys/hash", "keys/holder-signing", "keys/holder-age"),
    *("keys/holder-signing.pub", "nightly/night.json", "outbox/{b}/manifest.json", "register/{r}/manifest.json"),
    *("checkpoints/{h}.json", "checkpoints/{h}.json.sig"),
)


SLOW = pytest.mark.slow


@pytest.mark.parametrize("spoil", [pytest.param(folder_for, marks=SLOW), garbage, pytest.param(deep_json, marks=SLOW)])
def test_whatever_lies_in_a_files_place_is_a_problem_and_no_fault(kept: Kept, spoil: Callable[[Path], None]) -> None:
    for place in STORED:
        path = kept.at(place.replace("{r}", kept.register.name).replace("{h}", kept.head.stem))
        good, mode = path.read_bytes(), path.stat().st_mode
        spoil(path)
        if path.is_file():
            path.chmod(mode)
        found = problems(kept.home, deep=True)
        assert found and all(p.place and p.what for p in found), place
        names = path.name.partition(".")[0], kept.register.name, f"package of batch {kept.batch}"
        assert any(name in p.place for p in found for name in names), (place, found)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.write_bytes(good)
        path.chmod(mode)
    assert problems(kept.home, deep=True) == []


def test_a_register_that_a_batch_under_way_needs_is_missed(kept: Kept, tmp_path: Path) -> None:
    with runs.ledger_of(kept.home) as ledger:
        made = Installation(kept.home, enrolled.newest(ledger).agreements["sandbox-2026"])
        name = receive(kept.home, ledger, ledger.clock, made.submit(tmp_path / "s", [installations.request(20)]))
    shutil.rmtree(kept.register)
    assert any(p.place == f"batch {name}" and "register version" in p.what for p in problems(kept.home))
