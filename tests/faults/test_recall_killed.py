"""`kill -9` between the durable steps of a recall, then the same command again: one case, one list in the outbox, each
step once."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from flows.cases import documents
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.case_records import CaseRecord
from tests.factories import installations, recalls
from tests.faults.test_crash import KILLED, Zygote

CASES = "tests.faults.recalling"
OPENING = [
    "flows.cases.opening:seal_to_holder:before:1",
    "pipelines.sealing:seal_file:after:1",
    "flows.cases.opening:seal_to_holder:after:1",
    "flows.ledger.recalls:Recalls.open_case:after:1",
    "pipelines.recall.listing:seal_recall:before:1",
    "pipelines.recall.listing:seal_recall:after:1",
    *(f"shutil:copytree:after:{nth}" for nth in (1, 2)),  # into the case's folder, and beside the outbox
    *(f"pathlib:Path.rename:after:{nth}" for nth in (2, 3)),  # into its place there, and here
    *(
        f"pipelines.lake.durable:write:{when}:{nth}" for nth in (3, 4, 5) for when in ("before", "after")
    ),  # the first two sign
    "flows.ledger.recalls:Recalls._take_step:before:1",
    "flows.ledger.recalls:Recalls._take_step:after:1",
    "flows.ledger.recalls:Recalls.take:after:1",
]
ADVANCING = [
    "flows.cases.places:store_proof:before:1",
    "flows.cases.places:store_proof:after:1",
    "flows.ledger.recalls:Recalls._append:after:1",
    "pipelines.lake.durable:write:after:1",
    "flows.ledger.recalls:Recalls._take_step:after:1",
    "flows.ledger.recalls:Recalls.take:after:1",
]
HANDING = [
    "flows.cases.places:hand_in:before:1",
    "pipelines.lake.durable:fsync:before:1",
    "pipelines.lake.durable:fsync:after:2",
    "flows.cases.places:hand_in:after:1",
]
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Place:
    home: Home
    batch: str
    rows: Path
    zygote: Zygote

    def begin(self, kill: str = "") -> list[int]:
        arguments = [str(self.home.root), self.batch, str(self.rows)]
        return self.zygote.run(call=f"{CASES}:begin", arguments=arguments, kill=kill)

    def step(self, name: str, file: str, operator: str = "operator-1", kill: str = "") -> list[int]:
        arguments = [str(self.home.root), self.case.id, name, file, operator]
        return self.zygote.run(call=f"{CASES}:step", arguments=arguments, kill=kill)

    @property
    def case(self) -> CaseRecord:
        with Ledger.open(self.home.ledger_url, Clock()) as ledger:
            (found,) = ledger.cases()
            assert ledger.verify() == []
        return found

    def is_whole(self) -> None:
        """Documents are those of the ledger; nothing in clear, half-made or twice lies anywhere."""
        case = self.case
        assert {state for *_, state in documents.check(self.home, case)} == {"unchanged"}
        lists = [p.name for p in self.home.outbox.iterdir() if not p.name.startswith(".") and p.name != self.batch]
        assert lists == [f"recall-{case.id}"]
        assert not [p for p in self.home.lake.rglob("*") if p.is_file() and p.suffix in (".parquet", ".csv")]
        assert not list((self.home.root / "recalls").rglob(".*")) and not list(
            self.home.outbox.glob(".staging/recall-*")
        )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with a published batch, to be copied."""
    folder = tmp_path_factory.mktemp("recalled")
    installation = installations.make(folder / "home")
    batch = recalls.publish(installation, folder / "submission", range(1, 9))
    (folder / "rows").write_text("1\n2\n")
    (folder / "receipts").write_text("received")
    (folder / "copies").write_bytes(recalls.COPIES)
    (folder / "log").write_bytes(recalls.log("package-1", "db-1", "derived-1"))
    return folder, batch


@pytest.fixture
def place(base: tuple[Path, str], zygote: Zygote, tmp_path: Path) -> Place:
    folder, batch = base
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copy2)
    toml = tmp_path / "copy" / "home" / "sluicegate.toml"
    toml.write_text(toml.read_text().replace(str(folder), str(tmp_path / "copy")))
    return Place(open_home(tmp_path / "copy" / "home"), batch, tmp_path / "copy" / "rows", zygote)


@pytest.mark.parametrize("point", OPENING)
def test_a_killed_opening_goes_on_to_one_frozen_case(place: Place, point: str) -> None:
    assert place.begin(point) == [KILLED], "it never came to this point"
    assert place.begin() == [0]
    assert [s.state for s in place.case.steps] == ["found", "frozen"] and place.case.rows == 2
    place.is_whole()


@pytest.mark.parametrize("point", ADVANCING)
def test_a_killed_step_is_taken_once(place: Place, point: str) -> None:
    assert place.begin() == [0]
    folder = place.rows.parent
    assert place.step("notified", str(folder / "receipts")) == [0]
    for name, file in (("copies", "copies"), ("disposed", "log")):
        assert place.step(name, str(folder / file), kill=point) == [KILLED], "it never came to this point"
        assert place.step(name, str(folder / file)) == [0]
    states = [s.state for s in place.case.steps]
    assert states == ["found", "frozen", "notified", "copies_enumerated", "disposed"]
    place.is_whole()


@pytest.mark.parametrize("point", HANDING)
def test_a_file_that_was_handed_in_when_it_was_killed_waits_whole_or_not_at_all(place: Place, point: str) -> None:
    assert place.begin() == [0]
    receipts = str(place.rows.parent / "receipts")
    arguments = [str(place.home.root), place.case.id, "notified", receipts]
    assert place.zygote.run(call=f"{CASES}:hand", arguments=arguments, kill=point) == [KILLED]
    assert [s.state for s in place.case.steps] == ["found", "frozen"]
    assert place.zygote.run(call=f"{CASES}:hand", arguments=arguments) == [0]
    folder = place.home.root / "recalls" / place.case.id
    assert len(list(folder.glob("handed-*.age"))) == 1 and not list(folder.glob(".*"))
    assert place.step("notified", receipts) == [0]
    assert [s.state for s in place.case.steps] == ["found", "frozen", "notified"]
    assert not list(folder.glob("handed-*"))
    place.is_whole()


def test_two_operators_at_a_time_open_one_case(place: Place) -> None:
    arguments = [str(place.home.root), place.batch, str(place.rows)]
    assert place.zygote.run(call=f"{CASES}:begin", arguments=arguments, times=2) == [0, 0]
    assert len(place.case.steps) == 2
    place.is_whole()
