"""`kill -9` at every durable step, then run again: the same content, the same ledger, one disclosure a row (invariants
3, 7)."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from flows import audit
from flows.evidence import keys, shred
from flows.home.tree import open_home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from tests import SOAK
from tests.factories import installations, runs

# module:function:before or after:which call. The steps of a batch in the order in which they become durable.
STEPS = [
    "flows.batch.receive:_record:before:1",
    "flows.batch.tries:write_keys:after:1",
    "flows.ledger.batches:Batches.receive:after:1",
    *(f"pipelines.lake.commit:commit_manifest:{when}:{nth}" for nth in range(1, 4) for when in ("before", "after")),
    *(f"flows.ledger.batches:Batches.advance:{when}:{nth}" for nth in range(1, 5) for when in ("before", "after")),
    "flows.ledger.tries:TriesKept.record_tries:after:1",
    "pipelines.release:seal:after:1",
    "pipelines.release:seal_evidence:after:1",
    "pipelines.release:seal_accounting:after:1",
    "flows.batch.release:store_evidence:after:1",
    "flows.ledger.accounts:Accounts.account:before:1",
    "flows.ledger.accounts:Accounts.account:after:1",
    "flows.batch.publication:prepare:before:1",
    "flows.batch.publication:prepare:after:1",
    "flows.outbox.folder:FolderCopy.put:before:1",
    "flows.outbox.folder:FolderCopy.put:after:1",
    "flows.batch.publication:_published:after:1",
    "flows.batch.publication:publish:after:1",
    "flows.batch.steps:BatchSteps.delete_folder:before:1",
    "flows.batch.steps:BatchSteps.delete_folder:after:1",
]
EACH_TIME = {"flows.batch.publication:prepare:after:1"}  # the rest runs with make test-all
KILLED = -9


class Zygote:
    """Runs batches in forked children; see `zygote.py`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._answer() == "ready"

    def run(self, **command: Any) -> list[int]:
        """Exit statuses of the children; negative: the signal that ended one."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        found: list[int] = json.loads(self._answer())
        return found

    def _answer(self) -> str:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():  # libraries may print too
            if line.startswith(("ready", "[")):
                return line.strip()
        raise AssertionError("the zygote died")

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


@dataclass(frozen=True)
class Stand:
    """What a batch has come to, as far as it must be the same after any crash."""

    state: str
    content_digest: str
    claims: int
    outcomes: dict[str, int]
    outbox: list[str]
    problems: list[object]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Path:
    """A installation with a submission, its register prepared, never run."""
    folder = tmp_path_factory.mktemp("crash")
    installation = installations.make(folder / "home")
    installation.submit(folder / "submission", installations.mixed())
    return folder


@pytest.fixture(scope="module")
def reference(base: Path, zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    """The same batch, never killed."""
    copy = fresh(base, tmp_path_factory.mktemp("reference"))
    assert zygote.run(home=str(copy / "home"), what=str(copy / "submission")) == [0]
    stand = look(copy)
    assert stand.state == State.PUBLISHED and stand.claims == 40 and stand.problems == []
    # later copies need not prepare the register again
    shutil.copytree(copy / "home" / "register", base / "home" / "register", dirs_exist_ok=True)
    return stand


def fresh(base: Path, target: Path) -> Path:
    shutil.copytree(base, target / "copy", copy_function=shutil.copy2)
    toml = target / "copy" / "home" / "sluicegate.toml"
    toml.write_text(toml.read_text().replace(str(base), str(target / "copy")))
    return target / "copy"


def look(place: Path) -> Stand:
    home = open_home(place / "home")
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        (record,) = ledger.batches()
        claims = sum(1 for _ in ledger.disclosed(record.requester, record.agreement))
        problems: list[object] = list(audit.verify(home, ledger).problems)
    package = home.outbox / record.name
    manifest = json.loads((package / "manifest.json").read_text())
    outcomes = json.loads((home.verdicts / record.name / "outcomes.json").read_text())
    left = sorted(p.name for p in home.outbox.iterdir() if not p.name.startswith("."))
    return Stand(record.state.value, manifest["content_digest"], claims, outcomes, left, problems)


@pytest.mark.parametrize("point", [p if p in EACH_TIME else pytest.param(p, marks=pytest.mark.slow) for p in STEPS])
def test_a_killed_batch_ends_like_one_never_killed(
    base: Path, reference: Stand, zygote: Zygote, tmp_path: Path, point: str
) -> None:
    place = fresh(base, tmp_path)
    command = {"home": str(place / "home"), "what": str(place / "submission")}
    assert zygote.run(**command, kill=point) == [KILLED], "the batch never came to this point"
    assert zygote.run(**command) == [0]
    assert look(place) == reference


@pytest.mark.slow
def test_two_runs_at_a_time_disclose_once(base: Path, reference: Stand, zygote: Zygote, tmp_path: Path) -> None:
    place = fresh(base, tmp_path)
    assert zygote.run(home=str(place / "home"), what=str(place / "submission"), times=2) == [0, 0]
    assert look(place) == reference


@pytest.fixture(scope="module")
def finished(base: Path, reference: Stand, zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the batch published."""
    place = fresh(base, tmp_path_factory.mktemp("finished"))
    assert zygote.run(home=str(place / "home"), what=str(place / "submission")) == [0]
    return place / "home"


@pytest.mark.parametrize(
    ("point", "unfinished"),
    [
        pytest.param("flows.ledger.accounts:Accounts.begin_shredding:before:1", False, marks=pytest.mark.slow),
        ("flows.ledger.accounts:Accounts.begin_shredding:after:1", True),
        ("flows.home.keys:os.fsync:after:1", True),  # overwritten, and still there
        pytest.param("flows.evidence.keys:destroy:after:1", True, marks=pytest.mark.slow),
        pytest.param("flows.evidence.shred:_destroy:after:1", True, marks=pytest.mark.slow),
        ("flows.ledger.accounts:Accounts.end_shredding:after:1", False),
    ],
)
def test_a_killed_shredding_is_seen_and_goes_on(
    finished: Path, zygote: Zygote, tmp_path: Path, point: str, unfinished: bool
) -> None:
    home = runs.copy(open_home(finished), tmp_path / "home")
    with runs.ledger_of(home) as ledger:
        (record,) = ledger.batches()
    day = str(shred._years_on(date.today(), 6))
    command = {"call": "tests.faults.shredding:shred", "arguments": [str(home.root), record.name, day]}
    assert zygote.run(**command, kill=point) == [KILLED]
    with runs.ledger_of(home) as ledger:
        seen = {p.place for p in audit.verify(home, ledger).problems}
        assert (f"evidence of batch {record.name}" in seen) == unfinished
    assert zygote.run(**command) == [0]
    with runs.ledger_of(home) as ledger:
        assert [e["kind"] for e in ledger.events(record.name)].count("shredded") == 1
        assert audit.verify(home, ledger, deep=True).problems == ()
    assert not keys.place(home, record.name).exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20 if SOAK else 8))
def test_killed_at_any_instant(base: Path, reference: Stand, zygote: Zygote, tmp_path: Path, seed: int) -> None:
    place, chance = fresh(base, tmp_path), random.Random(seed)
    command = {"home": str(place / "home"), "what": str(place / "submission")}
    for _ in range(3):
        assert zygote.run(**command, alarm=chance.uniform(0.05, 8.0))[0] in (0, KILLED)
    assert zygote.run(**command) == [0]
    assert look(place) == reference
