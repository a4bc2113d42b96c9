"""Deltas: a version with deltas applied holds what a full build of the same records would."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import lake, register
from pipelines.validate import facts
from tests.factories.deltas import BASE, TODAY, buildings, changes, held, merged, oak, person, updated, write_delta
from tests.factories.match_inputs import HOME, ONE, raw_register

DAY = timedelta(days=1)


GONE_HOME = "14 OAK ST"  # all who live here move out


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BASE prepared, in several ranges."""
    folder = tmp_path_factory.mktemp("base")
    register.build(raw_register(folder / "raw", BASE), folder / "register", part_rows=4)
    return folder / "register"


class Case(NamedTuple):
    """What each of three deltas brings, whole records or ids to be removed, and the changes that must be kept."""

    deltas: list[list[dict[str, Any] | int]]
    changed: list[tuple[int, str]]


CASES = {
    "a new record": Case([[person(31)]], [(31, "new")]),
    "an id between those there": Case([[], [person(9)]], [(9, "new")]),
    "a changed record": Case([[person(1, last="Other")]], [(1, "changed")]),
    "a changed address, the old one kept": Case([[person(2, oak(102), oak(7))]], [(2, "changed")]),
    "a removed record": Case([[3]], [(3, "removed")]),
    "changed twice": Case([[person(4, last="Other")], [person(4, oak(7))]], [(4, "changed"), (4, "changed")]),
    "new, then changed": Case([[person(32)], [person(32, oak(7))]], [(32, "new"), (32, "changed")]),
    "new, then removed": Case([[person(33)], [33]], [(33, "new"), (33, "removed")]),
    "removed, then new again": Case([[5], [], [person(5, oak(7))]], [(5, "removed"), (5, "new")]),
    "changed, then removed": Case([[person(6, oak(7))], [6]], [(6, "changed"), (6, "removed")]),
    "removed, new again, removed": Case([[7], [person(7)], [7]], [(7, "removed"), (7, "new"), (7, "removed")]),
    "changed back": Case([[person(8, oak(7), last="Other")], [person(8)]], [(8, "changed"), (8, "changed")]),
    "the last with a name": Case([[person(34, last="Rare")], [34]], [(34, "new"), (34, "removed")]),
    "a building with one unit more": Case([[person(35, oak(12, "APT 3"))]], [(35, "new")]),
    "two units in one delta": Case([[person(36, oak(50, "1")), person(37, oak(50, "2"))]], [(36, "new"), (37, "new")]),
    "two units in two deltas": Case(
        [[person(38, oak(60, "1"))], [], [person(39, oak(60, "2"))]], [(38, "new"), (39, "new")]
    ),
    "who moves out leaves the unit": Case([[person(22, oak(7))], [23]], [(22, "changed"), (23, "removed")]),
}


def brought(n: int) -> tuple[list[dict[str, Any]], list[int]]:
    """Delta `n` of all cases together: records, removed."""
    found = [each for case in CASES.values() if n < len(case.deltas) for each in case.deltas[n]]
    return [r for r in found if isinstance(r, dict)], [r for r in found if isinstance(r, int)]


@pytest.fixture(scope="module")
def versions(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The versions that the deltas of CASES make, one after the other."""
    folder, found = tmp_path_factory.mktemp("versions"), [base]
    for n in range(3):
        delta = write_delta(folder / f"delta{n}", *brought(n), on=TODAY + n * DAY)
        updated(found[-1], delta, folder / f"v{n}", today=TODAY + n * DAY)
        found.append(folder / f"v{n}")
    assert not list(folder.glob(".*")), "nothing of the reading is left"
    return found[1:]


@pytest.mark.parametrize("n", range(3))
def test_a_version_holds_what_a_full_build_would(n: int, versions: list[Path], tmp_path: Path) -> None:
    made = register.open_register(versions[n], verify=True)
    full = register.build(raw_register(tmp_path / "raw", merged(BASE, *map(brought, range(n + 1)))), tmp_path / "full")
    assert held(made) == held(full)
    assert held(made)["names"] == held(made)["counted"]
    # of a building that people have moved out of, the units stay on file until the next full build
    assert buildings(made) == {**buildings(full), GONE_HOME: 2}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_change_is_kept(case: Case, versions: list[Path]) -> None:
    ids = {n for n, _ in case.changed}
    made = register.open_register(versions[-1])
    assert [(n, change) for n, change, _, _ in changes(made) if n in ids] == case.changed


def test_a_version_before_is_as_it_was(base: Path, tmp_path: Path) -> None:
    before, version = held(register.open_register(base)), register.version(base)
    updated(base, write_delta(tmp_path / "delta", [person(3, oak(7))], [5]), tmp_path / "next")
    assert held(register.open_register(base, verify=True)) == before
    assert register.version(base) == version != register.version(tmp_path / "next")


def test_one_delta_one_version(base: Path, tmp_path: Path) -> None:
    delta = write_delta(tmp_path / "delta", [person(3, oak(7), oak(8)), person(20)], [5])
    for name in ("one", "two"):
        updated(base, delta, tmp_path / name / "register")
    assert register.version(tmp_path / "one" / "register") == register.version(tmp_path / "two" / "register")


def test_a_building_to_which_deltas_added_stands_once_among_the_facts(versions: list[Path], tmp_path: Path) -> None:
    made = register.open_register(versions[-1])
    known = buildings(made)
    places = [dict(zip(("a_number", "a_street"), name.split(" ", 1), strict=True)) for name in known]
    rows = [{"record_id": 1, "origin": "request", "a_zip": HOME["zip"], **place} for place in places]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "matched.parquet")
    worker = facts.Facts((str(tmp_path / "matched.parquet"),), "true", ONE)
    wanted = [item for item in facts.asked({"request": made}) if item.dataset == "buildings"]
    found = [
        row
        for item in wanted
        for p in worker(item, lake.Attempt(str(tmp_path)))
        for row in pq.read_table(p.path).to_pylist()
    ]
    assert len(found) == len(known) < made.rows("buildings")
    assert {f"{r['a_number']} {r['a_street']}": r["units"] for r in found} == known


def test_changes_say_what_kind_and_from_when(base: Path, tmp_path: Path) -> None:
    updated(base, write_delta(tmp_path / "d1", [person(3, oak(7))], on=TODAY), tmp_path / "v1")
    delta = write_delta(tmp_path / "d2", removed=[5], kind="correction", on=TODAY - 90 * DAY)
    made = updated(tmp_path / "v1", delta, tmp_path / "v2")
    assert changes(made) == [(5, "removed", "correction", TODAY - 90 * DAY), (3, "changed", "update", TODAY)]


WIDE = 'ID;NAME;LINE 1;ZIP\n3;Other;7 OAK ST;77002\n40;"Late; Jr";8 OAK ST;77002\n'
MAPPING = """
[persons]
files = "records.csv"
delimiter = ";"
columns = { record_id = "ID", last_name = "NAME" }
[addresses]
files = "records.csv"
delimiter = ";"
columns = { record_id = "ID", street = "LINE 1", zip = "ZIP" }
defaults = { valid_from = 2026-03-01 }
"""


def test_a_delta_in_csv_under_other_names(base: Path, tmp_path: Path) -> None:
    delta = write_delta(tmp_path / "delta", removed=[5])
    (delta / "records.csv").write_text(WIDE)
    (delta / "mapping.toml").write_text(MAPPING)
    made = updated(base, delta, tmp_path / "next")
    assert [c[:2] for c in changes(made)] == [(3, "changed"), (5, "removed"), (40, "new")]
    assert {row[3] for row in held(made)["persons"] if row[0] in (3, 40)} == {"OTHER", "LATE"}
    assert not list(tmp_path.glob(".*"))


def test_removals_beside_tables_without_rows(base: Path, tmp_path: Path) -> None:
    """A nightly export writes all its files, whether there is something in them or not."""
    delta = write_delta(tmp_path / "delta", [person(3)], [5])
    for part in delta.glob("*/*.parquet"):
        pq.write_table(pq.read_table(part).slice(0, 0), part)
    made = updated(base, delta, tmp_path / "next")
    assert [c[:2] for c in changes(made)] == [(5, "removed")] and made.rows("changed_persons") == 0


@pytest.mark.parametrize(
    "ids", ["\ufeffrecord_id\r\n5\r\n 6 \r\n", 'name,record_id\n"A, ""B""",5\nC,6\n', "record_id\n5\n6\n6"]
)
def test_removals_as_people_write_them(ids: str, base: Path, tmp_path: Path) -> None:
    delta = write_delta(tmp_path / "delta")
    (delta / "removed.csv").write_bytes(ids.encode())
    assert [c[:2] for c in changes(updated(base, delta, tmp_path / "next"))] == [(5, "removed"), (6, "removed")]
