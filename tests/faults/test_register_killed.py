"""`kill -9` while a register is built or updated: what was finished is not made again, and nothing half-made is ever
opened."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from expectations.base.errors import BadInput
from flows.home.registers import all_versions, current_register
from pipelines import lake, register
from pipelines.lake.commit import FINISHED
from pipelines.register import prepare
from tests.factories import installations
from tests.factories.deltas import TODAY, write_delta
from tests.factories.match_inputs import raw_register, record
from tests.faults import preparing
from tests.faults.test_crash import KILLED, Zygote

RECORDS = [record(n, "Ana", f"Surname{chr(64 + n)}") for n in range(1, 13)]
WIDE = "record_id,last_name,street,zip\n3,Other,7 OAK ST,77002\n20,Late,8 OAK ST,77002\n"
MAPPING = """
persons = { files = "records.csv" }
addresses = { files = "records.csv", defaults = { valid_from = 2026-03-01 } }
"""
ONE_FINISHED = "pipelines.lake.durable:write:after:2"  # the first says what was begun


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a raw register, and it prepared in three ranges by a build that was never killed."""
    folder = tmp_path_factory.mktemp("whole")
    raw_register(folder / "raw", RECORDS)
    preparing.build(str(folder / "raw"), str(folder / "register"))
    assert len(register.open_register(folder / "register").paths("persons")) == 3
    return folder


def killed(zygote: Zygote, point: str, function: str, *paths: Path) -> None:
    done = zygote.run(call=f"tests.faults.preparing:{function}", arguments=[str(p) for p in paths], kill=point)
    assert done == [KILLED], "it never came to this point"


def half_made(target: Path) -> list[Path]:
    """Parts of the attempts that were finished; the version itself cannot be opened."""
    with pytest.raises(BadInput, match="REGISTER_NOT_PREPARED"):
        register.open_register(target)
    notes = (target / lake.ATTEMPTS).glob(f"*/{FINISHED}")
    return [Path(part["path"]) for note in notes for part in json.loads(note.read_text())]


@pytest.fixture
def ranges(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ranges that are prepared from now on."""
    seen: list[int] = []
    prepared = prepare.Prepare.__call__

    def counted(self: prepare.Prepare, item: prepare.Range, attempt: lake.Attempt) -> Iterable[lake.Part]:
        seen.append(item.number)
        return prepared(self, item, attempt)

    monkeypatch.setattr(prepare.Prepare, "__call__", counted)
    return seen


def number(part: Path) -> int:
    return int(part.stem.removeprefix("part-"))


def test_a_killed_build_goes_on_after_the_finished_range(
    whole: Path, zygote: Zygote, ranges: list[int], tmp_path: Path
) -> None:
    killed(zygote, ONE_FINISHED, "build", whole / "raw", tmp_path / "register")
    parts = half_made(tmp_path / "register")
    (finished,) = {number(p) for p in parts}
    before = {(p.parent.name, p.stat().st_ino, p.stat().st_mtime_ns) for p in parts}
    preparing.build(str(whole / "raw"), str(tmp_path / "register"))
    assert sorted(ranges) == sorted({0, 1, 2} - {finished})
    made = {Path(p.path) for p in register.open_register(tmp_path / "register").parts if p.index == finished}
    assert before <= {(p.parent.name, p.stat().st_ino, p.stat().st_mtime_ns) for p in made}
    assert register.version(tmp_path / "register") == register.version(whole / "register")
    assert not (tmp_path / "register" / lake.ATTEMPTS).exists() and not list(tmp_path.glob(".*"))


def test_a_torn_range_is_prepared_again(whole: Path, zygote: Zygote, ranges: list[int], tmp_path: Path) -> None:
    killed(zygote, ONE_FINISHED, "build", whole / "raw", tmp_path / "register")
    part = half_made(tmp_path / "register")[0]
    part.write_bytes(part.read_bytes()[:-7])
    preparing.build(str(whole / "raw"), str(tmp_path / "register"))
    assert sorted(ranges) == [0, 1, 2]
    assert register.version(tmp_path / "register") == register.version(whole / "register")


@pytest.mark.slow
def test_another_extract_begins_again(whole: Path, zygote: Zygote, ranges: list[int], tmp_path: Path) -> None:
    killed(zygote, ONE_FINISHED, "build", whole / "raw", tmp_path / "register")
    other = raw_register(tmp_path / "raw", [*RECORDS[:-1], record(12, "Bo", "Other")])
    preparing.build(str(other), str(tmp_path / "register"))
    assert sorted(ranges) == [0, 1, 2]
    assert register.version(tmp_path / "register") != register.version(whole / "register")


@pytest.mark.slow
@pytest.mark.parametrize(
    "point",
    [
        "pipelines.lake.commit:commit_manifest:before:1",
        "pipelines.lake.durable:fsync:after:9",
        "pipelines.lake.durable:write:before:5",
    ],
)
def test_a_build_killed_near_its_end(point: str, whole: Path, zygote: Zygote, tmp_path: Path) -> None:
    """Before, within and after the parts are moved in their place."""
    killed(zygote, point, "build", whole / "raw", tmp_path / "register")
    half_made(tmp_path / "register")
    preparing.build(str(whole / "raw"), str(tmp_path / "register"))
    assert register.version(tmp_path / "register") == register.version(whole / "register")
    assert not (tmp_path / "register" / lake.ATTEMPTS).exists()


def test_a_build_at_fault_leaves_nothing_of_its_good_ranges(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", [*RECORDS, record(12, "Bo", "Again")])
    with pytest.raises(BadInput, match="REGISTER_ID_TWICE"):
        preparing.build(str(raw), str(tmp_path / "register"))
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]


@pytest.fixture
def delta(tmp_path: Path) -> Path:
    """In CSV, so that it is written as Parquet first."""
    folder = write_delta(tmp_path / "delta", removed=[5])
    (folder / "records.csv").write_text(WIDE)
    (folder / "mapping.toml").write_text(MAPPING)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "point",
    [
        "pipelines.lake.commit:commit_manifest:after:1",  # of the reading
        "pipelines.register.update:Apply.check:after:1",
        "pipelines.lake.commit:commit_manifest:before:2",
        "pipelines.lake.durable:write:before:2",
    ],
)
def test_a_killed_update_is_none(point: str, whole: Path, zygote: Zygote, delta: Path, tmp_path: Path) -> None:
    before = register.version(whole / "register")
    killed(zygote, point, "update", whole / "register", delta, tmp_path / "next")
    half_made(tmp_path / "next")
    register.open_register(whole / "register", verify=True)
    assert register.version(whole / "register") == before
    unkilled = tmp_path / "unkilled" / "next"  # a version's name is part of it
    for target in (tmp_path / "next", unkilled):
        preparing.update(str(whole / "register"), str(delta), str(target))
    assert register.version(tmp_path / "next") == register.version(unkilled)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_nothing_of_the_reading_stays_of_an_update_killed_after_its_commit(
    zygote: Zygote, delta: Path, tmp_path: Path
) -> None:
    home = installations.make(tmp_path / "home").home
    before = current_register(home)
    killed(zygote, "pipelines.lake.durable:write:after:2", "update_home", home.root, delta)
    assert list(home.prepared.glob(".*"))
    assert current_register(home) != before
    assert list(home.prepared.glob(".*")) == []


def test_the_home_stays_with_its_version_until_an_update_is_whole(zygote: Zygote, tmp_path: Path) -> None:
    home = installations.make(tmp_path / "home").home
    before = current_register(home)
    first = write_delta(tmp_path / "first", removed=[5])
    killed(zygote, "pipelines.lake.durable:write:before:1", "update_home", home.root, first)
    assert current_register(home) == before and all_versions(home) == [before]
    other = write_delta(tmp_path / "other", removed=[6, 7], on=TODAY)
    preparing.update_home(str(home.root), str(other))
    preparing.update_home(str(home.root), str(first))
    assert register.persons(register.open_register(current_register(home))) == installations.PERSONS - 3
    assert len(all_versions(home)) == 3
