"""Deltas: a version with deltas applied holds what a full build of the same records would; a delta at fault leaves nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.errors import BadInput
from pipelines import register
from tests.pipelines.deltas import TODAY, buildings, changes, held, merged, updated, write_delta
from tests.pipelines.matching import HOME, raw_register, record

CANARY = "Zcanary77"
DAY = timedelta(days=1)


def oak(n: int, unit: str | None = None) -> dict[str, Any]:
    return {**HOME, "street": f"{n} OAK ST", "unit": unit}


def person(n: int, *homes: dict[str, Any], last: str | None = None) -> dict[str, Any]:
    """Three share a surname and all a given name, so that counts of names are above one."""
    return record(
        n, "Ana" if n % 2 else "Bo", last or f"Surname{chr(65 + n % 4)}", tin=f"51234{n:04d}",
        birth_date=date(1960 + n, 3, 9), homes=list(homes or [oak(100 + n)]),
    )  # fmt: skip


BASE = [*(person(n) for n in range(1, 10)), *(person(n, oak(12, f"APT {n}")) for n in (10, 11))]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BASE prepared, in three ranges."""
    folder = tmp_path_factory.mktemp("base")
    register.build(raw_register(folder / "raw", BASE), folder / "register", part_rows=4)
    return folder / "register"


Records, Removed = Sequence[dict[str, Any]], Sequence[int]


class Case(NamedTuple):
    deltas: list[tuple[Records, Removed]]
    changed: list[tuple[int, str]]
    moved_out: bool = False  # then a building may keep more units than a full build would count


CASES = {
    "a new record": Case([([person(20)], [])], [(20, "new")]),
    "an id between those there": Case([([person(20)], []), ([person(15)], [])], [(20, "new"), (15, "new")]),
    "a changed record": Case([([person(3, last="Other")], [])], [(3, "changed")]),
    "a changed address, the old one kept": Case([([person(3, oak(103), oak(7))], [])], [(3, "changed")]),
    "a removed record": Case([([], [3])], [(3, "removed")]),
    "all at once": Case([([person(20), person(3, last="Other")], [5])], [(3, "changed"), (5, "removed"), (20, "new")]),
    "changed twice": Case([([person(3, last="Other")], []), ([person(3, oak(7))], [])], [(3, "changed"), (3, "changed")]),
    "new, then changed": Case([([person(20)], []), ([person(20, oak(7))], [])], [(20, "new"), (20, "changed")]),
    "new, then removed": Case([([person(20)], []), ([], [20])], [(20, "new"), (20, "removed")]),
    "removed, then new again": Case([([], [3]), ([person(3, oak(7))], [])], [(3, "removed"), (3, "new")]),
    "changed, then removed": Case([([person(3, oak(7))], []), ([], [3])], [(3, "changed"), (3, "removed")]),
    "removed, new again, removed again": Case(
        [([], [3]), ([person(3)], []), ([], [3])], [(3, "removed"), (3, "new"), (3, "removed")]
    ),
    "changed back to what it was": Case(
        [([person(3, oak(7), last="Other")], []), ([person(3)], [])], [(3, "changed"), (3, "changed")]
    ),
    "units that grow": Case(
        [([person(20, oak(12, "APT 3"))], []), ([person(21, oak(50, "APT 1")), person(22, oak(50, "APT 2"))], [])],
        [(20, "new"), (21, "new"), (22, "new")],
    ),
    "one building over two deltas": Case(
        [([person(20, oak(50, "APT 1"))], []), ([person(21, oak(50, "APT 2"))], [])], [(20, "new"), (21, "new")]
    ),
    "who moves out leaves the unit": Case([([person(10, oak(7))], [11])], [(10, "changed"), (11, "removed")], True),
    "the last with a name": Case([([person(20, last="Rare")], []), ([], [20])], [(20, "new"), (20, "removed")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_version_holds_what_a_full_build_would(case: Case, base: Path, tmp_path: Path) -> None:
    version = base
    for n, (records, removed) in enumerate(case.deltas):
        delta = write_delta(tmp_path / f"delta{n}", records, removed, on=TODAY + n * DAY)
        made = updated(version, delta, tmp_path / f"v{n}", today=TODAY + n * DAY)
        version = tmp_path / f"v{n}"
    assert not list(tmp_path.glob(".*")), "nothing of the reading is left"
    full = register.build(raw_register(tmp_path / "raw", merged(BASE, *case.deltas)), tmp_path / "full")
    assert held(made) == held(full) and held(made)["names"] == held(made)["counted"]
    assert case.moved_out or buildings(made) == buildings(full)
    assert buildings(made).items() >= buildings(full).items()
    assert [(n, change) for n, change, _, _ in changes(made)] == case.changed
    assert register.open_register(version, verify=True) == made


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


def test_changes_say_what_kind_and_from_when(base: Path, tmp_path: Path) -> None:
    updated(base, write_delta(tmp_path / "d1", [person(3, oak(7))], on=TODAY), tmp_path / "v1")
    delta = write_delta(tmp_path / "d2", removed=[5], kind="correction", on=TODAY - 90 * DAY)
    made = updated(tmp_path / "v1", delta, tmp_path / "v2")
    assert changes(made) == [
        (5, "removed", "correction", TODAY - 90 * DAY), (3, "changed", "update", TODAY)
    ]  # fmt: skip


WIDE = 'ID;NAME;LINE 1;ZIP\n3;Other;7 OAK ST;77002\n20;"Late; Jr";8 OAK ST;77002\n'
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
    assert [c[:2] for c in changes(made)] == [(3, "changed"), (5, "removed"), (20, "new")]
    assert {row[3] for row in held(made)["persons"] if row[0] in (3, 20)} == {"OTHER", "LATE"}
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


def removed_file(data: bytes, name: str = "removed.csv") -> Callable[[Path], Any]:
    return lambda folder: (write_delta(folder) / name).write_bytes(data)


def note(text: str) -> Callable[[Path], Any]:
    return lambda folder: (write_delta(folder, removed=[5]) / "delta.toml").write_text(text)


def ids(values: list[int | str | None], kind: pa.DataType, name: str = "record_id") -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        pq.write_table(pa.table({name: pa.array(values, kind)}), write_delta(folder) / "removed.parquet")

    return make


def addresses_of(n: int) -> Callable[[Path], None]:
    """Record 3 with the addresses of record `n`."""

    def make(folder: Path) -> None:
        write_delta(folder, [person(3)])
        part = next((folder / "addresses").glob("*.parquet"))
        table = pq.read_table(part)
        pq.write_table(table.set_column(0, table.schema.field(0), pa.array([n], pa.int64())), part)

    return make


def without_rows(folder: Path) -> None:
    write_delta(folder, [person(3)])
    for part in folder.glob("*/*.parquet"):
        pq.write_table(pq.read_table(part).slice(0, 0), part)


DATE = f"effective_on = {TODAY}\n"
FAULTS: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "no note": (lambda f: (write_delta(f, removed=[5]) / "delta.toml").unlink(), "NO_DELTA", CANARY.lower()),
    "a note that is no TOML": (note(f"kind = {CANARY}"), "DELTA_UNREADABLE", "delta.toml"),
    "a kind that is none": (note(f'kind = "{CANARY}"\n{DATE}'), "DELTA_INVALID", "delta.toml"),
    "a date that is none": (note(f'kind = "update"\neffective_on = "{CANARY}"'), "DELTA_INVALID", "delta.toml"),
    "no kind": (note(DATE), "DELTA_INVALID", "delta.toml"),
    "nothing": (write_delta, "DELTA_EMPTY", "delta"),
    "tables without rows": (without_rows, "DELTA_EMPTY", "delta.toml"),
    "removals without rows": (removed_file(b"record_id\n"), "DELTA_EMPTY", "delta.toml"),
    "a removed id that is text": (lambda f: write_delta(f, removed=[5, CANARY]), "REGISTER_ID", "removed.csv, row 2"),
    "a removed id with a fraction": (lambda f: write_delta(f, removed=[5.5]), "REGISTER_ID", "removed.csv, row 1"),
    "a decoy removed": (lambda f: write_delta(f, removed=[5, -1]), "REGISTER_IDS", "removed.csv, row 2"),
    "a decoy removed in Parquet": (ids([5, -1], pa.int64()), "REGISTER_IDS", "removed.parquet, row 2"),
    "no id in Parquet": (ids([5, None], pa.int64()), "REGISTER_EMPTY_FIELD", "removed.parquet, row 2"),
    "ids as text in Parquet": (ids([CANARY], pa.string()), "REGISTER_COLUMNS", "removed.parquet"),
    "Parquet without ids": (ids([5], pa.int64(), CANARY), "REGISTER_COLUMNS", "removed.parquet"),
    "no Parquet": (removed_file(CANARY.encode(), "removed.parquet"), "REGISTER_UNREADABLE", "removed.parquet"),
    "CSV without ids": (removed_file(f"{CANARY}\n5\n".encode()), "REGISTER_COLUMNS", "removed.csv"),
    "no CSV": (removed_file(f"PK\3\4\0\0{CANARY}\0\xff".encode("latin-1")), "HEADER_UNREADABLE", "removed.csv"),
    "an empty file": (removed_file(b"\n"), "FILE_EMPTY", "removed.csv"),
    "a quote that never closes": (removed_file(f'record_id,n\n5,"{CANARY}\n6,\n'.encode()), "REGISTER_RAGGED_ROW", "removed.csv, row 1"),
    "no UTF-8": (removed_file(b"record_id,n\n5,Zcanary77\xe9\n"), "REGISTER_BAD_ENCODING", "removed.csv, row 1, column n"),
    "two files of removals": (lambda f: ids([5], pa.int64())(f) or (f / "removed.csv").write_text("record_id\n6\n"), "REGISTER_MIXED", "removed"),
    "changed and removed": (lambda f: write_delta(f, [person(3, last=CANARY)], [3]), "DELTA_BOTH", "removed"),
    "removed, but never there": (lambda f: write_delta(f, [person(3, last=CANARY)], [77]), "DELTA_NOBODY", "removed"),
    "an address of nobody": (addresses_of(7), "DELTA_NO_PERSON", "addresses/"),
    "a record twice": (lambda f: write_delta(f, [person(3), person(3, last=CANARY)]), "REGISTER_ID_TWICE", "persons/"),
    "a decoy": (lambda f: write_delta(f, [{**person(3, last=CANARY), "record_id": -3}]), "REGISTER_IDS", "persons/"),
    "tomorrow's": (lambda f: write_delta(f, removed=[5], on=TODAY + DAY), "DELTA_NOT_YET", "delta.toml"),
}  # fmt: skip


def refused(before: Path, folder: Path, delta: Path) -> tuple[str, str]:
    """Code and place of the error; nothing is left of the try, and no value stands in the error."""
    with pytest.raises(BadInput) as caught:
        updated(before, delta, folder / "next")
    assert not [p for p in folder.iterdir() if "next" in p.name]
    told = str(caught.value).replace(caught.value.where, "")
    assert CANARY not in told and "Surname" not in told and caught.value.remedy
    return caught.value.code, caught.value.where


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_told_and_nothing_is_left(
    fault: tuple[Callable[[Path], Any], str, str], base: Path, tmp_path: Path
) -> None:
    make, code, where = fault
    delta = tmp_path / (where if where == CANARY.lower() else "delta")
    make(delta)
    assert refused(base, tmp_path, delta) == (code, where)


def test_a_delta_is_applied_once_and_in_order(base: Path, tmp_path: Path) -> None:
    first = write_delta(tmp_path / "first", [person(3, oak(7))], on=TODAY - DAY)
    late = write_delta(tmp_path / "late", removed=[5], on=TODAY - 2 * DAY)
    same_day = write_delta(tmp_path / "same", removed=[6], on=TODAY - DAY)
    updated(base, first, tmp_path / "v1")
    assert refused(tmp_path / "v1", tmp_path, first) == ("DELTA_TWICE", "delta.toml")
    assert refused(tmp_path / "v1", tmp_path, late) == ("DELTA_LATE", "delta.toml")
    updated(tmp_path / "v1", same_day, tmp_path / "v2")
    assert refused(tmp_path / "v2", tmp_path, first) == ("DELTA_TWICE", "delta.toml")


def test_a_register_prepared_otherwise_takes_no_delta(base: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "old")
    manifest = tmp_path / "old" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(register.preparation(), "of another time"))
    assert refused(tmp_path / "old", tmp_path, write_delta(tmp_path / "delta", removed=[5])) == (
        "REGISTER_OUTDATED",
        "old",
    )
