"""A delta at fault is reported by its place and code alone, and leaves nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base.errors import BadInput
from pipelines import register
from pipelines.register.delta import Kind
from tests.factories.deltas import BASE, TODAY, oak, person, updated, write_delta
from tests.factories.match_inputs import raw_register
from tests.factories.paths import DOCS

CANARY = "Zcanary77"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BASE prepared, in several ranges."""
    folder = tmp_path_factory.mktemp("base")
    register.build(raw_register(folder / "raw", BASE), folder / "register", part_rows=4)
    return folder / "register"


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
    "a note that is no TOML": (note(f"kind = {CANARY}"), "DELTA_UNREADABLE", "delta.toml, line 1"),
    "a kind that is none": (note(f'kind = "{CANARY}"\n{DATE}'), "DELTA_INVALID", "delta.toml"),
    "a date that is none": (note(f'kind = "update"\neffective_on = "{CANARY}"'), "DELTA_INVALID", "delta.toml"),
    "no kind": (note(DATE), "DELTA_INVALID", "delta.toml"),
    "nothing": (write_delta, "DELTA_EMPTY", "delta"),
    "tables without rows": (without_rows, "DELTA_EMPTY", "delta.toml"),
    "removals without rows": (removed_file(b"record_id\n"), "DELTA_EMPTY", "delta.toml"),
    "a removed id that is text": (lambda f: write_delta(f, removed=[5, CANARY]), "REGISTER_ID", "removed.csv, row 2"),
    "a removed id with a fraction": (lambda f: write_delta(f, removed=[5.5]), "REGISTER_ID", "removed.csv, row 1"),
    "a control row removed": (lambda f: write_delta(f, removed=[5, -1]), "REGISTER_IDS", "removed.csv, row 2"),
    "a control row removed in Parquet": (ids([5, -1], pa.int64()), "REGISTER_IDS", "removed.parquet, row 2"),
    "no id in Parquet": (ids([5, None], pa.int64()), "REGISTER_EMPTY_FIELD", "removed.parquet, row 2"),
    "ids as text in Parquet": (ids([CANARY], pa.string()), "REGISTER_COLUMNS", "removed.parquet"),
    "Parquet without ids": (ids([5], pa.int64(), CANARY), "REGISTER_COLUMNS", "removed.parquet"),
    "no Parquet": (removed_file(CANARY.encode(), "removed.parquet"), "REGISTER_UNREADABLE", "removed.parquet"),
    "CSV without ids": (removed_file(f"{CANARY}\n5\n".encode()), "REGISTER_COLUMNS", "removed.csv"),
    "no CSV": (removed_file(f"PK\3\4\0\0{CANARY}\0\xff".encode("latin-1")), "HEADER_UNREADABLE", "removed.csv"),
    "an empty file": (removed_file(b"\n"), "FILE_EMPTY", "removed.csv"),
    "a quote that never closes": (
        removed_file(f'record_id,n\n5,"{CANARY}\n6,\n'.encode()),
        "REGISTER_RAGGED_ROW",
        "removed.csv, row 1",
    ),
    "no UTF-8": (
        removed_file(b"record_id,n\n5,Zcanary77\xe9\n"),
        "REGISTER_BAD_ENCODING",
        "removed.csv, row 1, column n",
    ),
    "two files of removals": (
        lambda f: ids([5], pa.int64())(f) or (f / "removed.csv").write_text("record_id\n6\n"),
        "REGISTER_MIXED",
        "removed",
    ),
    "changed and removed": (lambda f: write_delta(f, [person(3, last=CANARY)], [3]), "DELTA_BOTH", "removed"),
    "removed, but never there": (lambda f: write_delta(f, [person(3, last=CANARY)], [77]), "DELTA_NOBODY", "removed"),
    "everybody removed": (
        lambda f: write_delta(f, removed=[r["record_id"] for r in BASE]),
        "REGISTER_EMPTY",
        "removed",
    ),
    "an address of nobody": (addresses_of(7), "DELTA_NO_PERSON", "addresses/"),
    "a record twice": (lambda f: write_delta(f, [person(3), person(3, last=CANARY)]), "REGISTER_ID_TWICE", "persons/"),
    "a control row": (
        lambda f: write_delta(f, [{**person(3, last=CANARY), "record_id": -3}]),
        "REGISTER_IDS",
        "persons/",
    ),
    "tomorrow's": (lambda f: write_delta(f, removed=[5], on=TODAY + DAY), "DELTA_NOT_YET", "delta.toml"),
}


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


def test_each_kind_looks_back_or_is_applied_in_order() -> None:
    assert {kind: kind.looks_back for kind in Kind} == {Kind.UPDATE: False, Kind.CORRECTION: True}
    assert (Kind.sql(looks_back=False), Kind.sql(looks_back=True)) == ("('update')", "('correction')")


def test_the_documentation_has_a_note_that_works_and_lists_every_code(base: Path, tmp_path: Path) -> None:
    page = (DOCS / "register.md").read_text()
    (text,) = re.findall(r"```toml[^\n]*\n(kind.*?)```", page, re.DOTALL)
    delta = write_delta(tmp_path / "delta", removed=[5])
    (delta / "delta.toml").write_text(text)
    assert updated(base, delta, tmp_path / "next").rows("changes") == 1
    codes = {code for _, code, _ in FAULTS.values()} | {"DELTA_TWICE", "DELTA_LATE", "REGISTER_OUTDATED"}
    assert codes <= set(re.findall("`([A-Z_0-9]+)`", page))
