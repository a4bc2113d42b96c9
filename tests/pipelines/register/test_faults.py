"""What is at fault in a raw register is told by its place alone: file, row and field, never the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base.errors import BadInput, SluicegateError
from pipelines import register
from tests.factories.match_inputs import ONE, raw_register
from tests.factories.paths import DOCS
from tests.factories.raw_registers import CANARY, MAPPING, NAMES, RECORDS, as_csv, refused, wide, wide_rows


def changed(field: str, value: str) -> Callable[[Path], Path]:
    """The wide register with `value` in one field of its row 4."""

    def make(folder: Path) -> Path:
        rows = wide_rows()
        rows[3][NAMES[field]] = value
        rows[3]["YEAR"] = CANARY
        return wide(folder, as_csv(rows))

    return make


def spoiled(old: bytes, new: bytes) -> Callable[[Path], Path]:
    """The wide register with `old` (once) replaced in its bytes."""
    return lambda folder: wide(folder, as_csv(wide_rows()).replace(old, new, 1))


def mapped(old: str, new: str) -> Callable[[Path], Path]:
    return lambda folder: wide(folder, as_csv(wide_rows()), mapping=MAPPING.replace(old, new, 1))


def mixed(folder: Path) -> Path:
    raw = raw_register(folder, RECORDS)
    (raw / "persons" / "more.csv").write_text("record_id\n1\n")
    return raw


ROW4 = "records/0.csv, row 4"
CASES: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "an id that is text": (changed("record_id", CANARY), "REGISTER_ID", ROW4),
    "an id with a fraction": (changed("record_id", "4.5"), "REGISTER_ID", ROW4),
    "an id with an exponent": (changed("record_id", "4e3"), "REGISTER_ID", ROW4),
    "an id beyond 64 bits": (changed("record_id", "9223372036854775808"), "REGISTER_ID", ROW4),
    "no id": (changed("record_id", ""), "REGISTER_EMPTY_FIELD", ROW4),
    "a control row's id": (changed("record_id", "-4"), "REGISTER_IDS", ROW4),
    "id zero": (changed("record_id", "0"), "REGISTER_IDS", ROW4),
    "an id that stands twice": (changed("record_id", "5"), "REGISTER_ID_TWICE", "persons/"),
    "a date that is text": (changed("birth_date", CANARY), "REGISTER_DATE", ROW4),
    "a date in another format": (changed("birth_date", "1964-03-09"), "REGISTER_DATE", ROW4),
    "a date that never was": (changed("birth_date", "02/30/1964"), "REGISTER_DATE", ROW4),
    "a year of two digits": (changed("birth_date", "03/09/64"), "REGISTER_DATE", ROW4),
    "year zero": (changed("birth_date", "01/01/0000"), "REGISTER_DATE", ROW4),
    "a date without end": (changed("birth_date", "infinity"), "REGISTER_DATE", ROW4),
    "too few fields": (spoiled(b",77002,2023\n5,", b",77002\n5,"), "REGISTER_RAGGED_ROW", ROW4),
    "too many fields": (spoiled(b",77002,2023\n5,", b",77002,2023,Zcanary77\n5,"), "REGISTER_RAGGED_ROW", ROW4),
    "a quote that never closes": (spoiled(b'"Surname, 4"', b'"Zcanary77, 4'), "REGISTER_RAGGED_ROW", ROW4),
    "the last quote never closes": (spoiled(b'"Surname, 30"', b'"Zcanary77'), "REGISTER_RAGGED_ROW", "records/0.csv, row 30"),
    "text after a quote": (spoiled(b'"Surname, 4"', b'"Zcanary77" 4, "'), "REGISTER_RAGGED_ROW", ROW4),
    "not UTF-8": (spoiled(b'"Surname, 4"', b"Zcanary77\xe9"), "REGISTER_BAD_ENCODING", f"{ROW4}, column SURNAME"),
    "a line that is too long": (spoiled(b'"Surname, 4"', CANARY.encode() * 9000), "REGISTER_LINE_TOO_LONG", ROW4),
    "UTF-16": (lambda f: wide(f, as_csv(wide_rows()).decode().encode("utf-16")), "HEADER_UNREADABLE", "records/0.csv"),
    "an empty file": (lambda f: wide(f, b""), "FILE_EMPTY", "records/0.csv"),
    "a header alone": (lambda f: wide(f, as_csv(wide_rows()).split(b"\n")[0]), "REGISTER_EMPTY", "persons/"),
    "a column that is not there": (spoiled(b"SSN", CANARY.encode()), "REGISTER_COLUMNS", "records/0.csv"),
    "a column that stands twice": (spoiled(b"YEAR", b"ssn"), "REGISTER_COLUMNS", "records/0.csv"),
    "no id column": (mapped('record_id = "ID", ', ""), "REGISTER_COLUMNS", "records/0.csv"),
    "no date for valid_from": (mapped("defaults = { valid_from = 2018-04-02 }", ""), "REGISTER_COLUMNS", "records/0.csv"),
    "parts with other columns": (lambda f: wide(f, as_csv(wide_rows()), b"ID,SSN\n"), "REGISTER_COLUMNS", "records/1.csv"),
    "no header": (lambda f: wide(f, as_csv(wide_rows()).split(b"\n", 1)[1]), "REGISTER_COLUMNS", "records/0.csv"),
    "another delimiter": (mapped("date_format", 'delimiter = "|"\ndate_format'), "REGISTER_COLUMNS", "records/0.csv"),
    "no files": (mapped("records/*.csv", "records/*.txt"), "REGISTER_MISSING", "records/*.txt"),
    "CSV said to be Parquet": (mapped("date_format", 'format = "parquet"\ndate_format'), "REGISTER_UNREADABLE", "records/0.csv"),
    "both formats": (mixed, "REGISTER_MIXED", "persons/"),
    "no TOML": (mapped("[persons]", "[persons"), "MAPPING_UNREADABLE", "mapping.toml"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_refused(case: str, tmp_path: Path) -> None:
    make, code, where = CASES[case]
    found_code, found_where = refused(make(tmp_path / "raw"), tmp_path / "register")
    assert (found_code, found_where.split(", line")[0]) == (code, where)


def test_text_in_parquet_that_is_no_date_is_told_by_its_row(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS)
    part = next((raw / "persons").glob("*.parquet"))
    table = pq.read_table(part)
    dates = [CANARY if n == 6 else "19600309" for n in range(30)]
    pq.write_table(table.set_column(6, "birth_date", pa.array(dates)), part)
    (raw / "mapping.toml").write_text('[persons]\ndate_format = "%Y%m%d"')
    assert refused(raw, tmp_path / "register") == ("REGISTER_DATE", f"persons/{part.name}, row 7")


@pytest.mark.parametrize("line_break", ["\n", "\r"])
def test_a_quoted_line_break_is_part_of_its_field_and_rows_are_counted_past_it(line_break: str, tmp_path: Path) -> None:
    rows = wide_rows()
    rows[1]["LINE 1"] = f"12 OAK ST{line_break}REAR"
    raw = wide(tmp_path / "raw", as_csv(rows))
    manifest = register.build(raw, tmp_path / "register", duck=ONE)
    assert f"12 OAK ST{line_break}REAR" in pq.read_table(manifest.paths("addresses")[0])["street"].to_pylist()
    rows[4]["ID"] = CANARY
    (raw / "records" / "0.csv").write_bytes(as_csv(rows))
    assert refused(raw, tmp_path / "other") == ("REGISTER_ID", "records/0.csv, row 5")


def test_the_documentation_lists_every_code() -> None:
    page = (DOCS / "register.md").read_text()
    assert {code for _, code, _ in CASES.values()} <= set(re.findall("`([A-Z_0-9]+)`", page))


def test_a_fault_of_the_disk_is_no_fault_of_the_register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: Any) -> None:
        raise OSError(CANARY)

    monkeypatch.setattr("pipelines.register.records.CsvFile", broken)
    with pytest.raises(SluicegateError) as caught:
        register.build(wide(tmp_path / "raw", as_csv(wide_rows())), tmp_path / "register")
    assert not isinstance(caught.value, BadInput) and CANARY not in str(caught.value)


EMPTY = {
    # table, column, how its files are written; the second file has the empty field in its row 4
    "an id of a person": ("persons", "record_id", {}),
    "an id of an address": ("addresses", "record_id", {}),
    "the day of an address": ("addresses", "valid_from", {}),
    "a file that does not count its nulls": ("persons", "record_id", {"write_statistics": False}),
}


def without(raw: Path, table: str, column: str, row: int, **how: Any) -> str:
    """The name of the table's second file, in which `column` of `row` (from 1) is null now, and not forbidden to be."""
    for path in sorted((raw / table).glob("*.parquet")):
        rows = pq.read_table(path).to_pylist()
        if path.name.endswith("1.parquet"):
            rows[row - 1][column] = None
        schema = pa.schema([f.with_nullable(True) for f in pq.read_schema(path)])
        pq.write_table(pa.Table.from_pylist(rows, schema), path, **how)
    return f"{table}/{path.name}"


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("case", EMPTY)
def test_an_empty_field_of_plain_parquet_is_told_by_its_row(case: str, mapped: bool, tmp_path: Path) -> None:
    table, column, how = EMPTY[case]
    raw = raw_register(tmp_path / "raw", RECORDS, parts=2)
    if mapped:
        (raw / "mapping.toml").write_text("[persons]\n[addresses]\n")
    name = without(raw, table, column, 4, **how)
    assert refused(raw, tmp_path / "register") == ("REGISTER_EMPTY_FIELD", f"{name}, row 4")


def test_what_may_be_empty_or_has_a_default_is_no_fault(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS, parts=2)
    without(raw, "persons", "last_name", 4, write_statistics=False)
    without(raw, "addresses", "valid_from", 4)
    (raw / "mapping.toml").write_text("[addresses]\ndefaults = { valid_from = 2018-04-02 }")
    assert register.build(raw, tmp_path / "register", duck=ONE).rows("addresses") == 30
