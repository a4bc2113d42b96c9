"""Raw registers in CSV or under other names: one register whatever its form, and each fault told by its place alone."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from expectations import duck
from expectations.errors import BadInput, SluicegateError
from pipelines import register
from pipelines.register import convert
from pipelines.register.mapping import Layout, read_mapping
from pipelines.register.source import open_source
from tests.pipelines.matching import HOME, raw_register, record

CANARY = "Zcanary77"
SINCE = date(2018, 4, 2)
RECORDS = [
    record(n, "Ána" if n % 2 else "Bo", f"Surname, {n}", tin=f"512-34-{n:04d}", birth_date=date(1960 + n, 3, 9),
           middle_name='Q "X"' if n == 3 else None,
           home={**HOME, "street": f"{12 if n < 5 else 100 + n} OAK ST", "unit": f"APT {n}" if n < 4 else None})
    for n in range(1, 31)
]  # fmt: skip
NAMES = {
    "record_id": "ID", "tin": "SSN", "first_name": "GIVEN", "middle_name": "MI", "last_name": "SURNAME", "birth_date": "DOB",
    "street": "LINE 1", "unit": "APT", "city": "CITY", "state": "ST", "zip": "ZIP",
}  # fmt: skip
MAPPING = """
[persons]
files = "records/*.csv"
date_format = "%m/%d/%Y"
columns = { record_id = "ID", tin = "SSN", first_name = "GIVEN", middle_name = "MI", last_name = "SURNAME", birth_date = "DOB" }

[addresses]
files = "records/*.csv"
columns = { record_id = "ID", street = "LINE 1", unit = "APT", city = "CITY", state = "ST", zip = "ZIP" }
defaults = { valid_from = 2018-04-02 }
"""


def wide_rows() -> list[dict[str, str]]:
    rows = []
    for r in RECORDS:
        flat = {**r, **r["homes"][0], "birth_date": r["birth_date"].strftime("%m/%d/%Y")}
        rows.append({**{name: str(flat[field] or "") for field, name in NAMES.items()}, "YEAR": "2023"})
    return rows


def as_csv(rows: list[dict[str, str]], *, delimiter: str = ",", end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def wide(folder: Path, *parts: bytes, mapping: str = MAPPING) -> Path:
    (folder / "records").mkdir(parents=True)
    for n, data in enumerate(parts):
        (folder / "records" / f"{n}.csv").write_bytes(data)
    (folder / "mapping.toml").write_text(mapping)
    return folder


def made(raw: Path, target: Path) -> list[tuple[str, int, str]]:
    """(dataset, index, digest) of the prepared parts."""
    manifest = register.build(raw, target, part_rows=10)
    assert not list(target.parent.glob(f".{target.name}*")), "nothing of the reading is left"
    return [(p.dataset, p.index, p.digest) for p in manifest.parts]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int, str]]:
    """The parts that RECORDS make as Parquet in the contract's columns."""
    folder = tmp_path_factory.mktemp("parquet")
    return made(raw_register(folder / "raw", RECORDS), folder / "register")


FORMS: dict[str, Callable[[Path], Path]] = {
    "one file": lambda f: wide(f, as_csv(wide_rows())),
    "Windows": lambda f: wide(f, b"\xef\xbb\xbf" + as_csv(wide_rows(), end="\r\n")),
    "two parts": lambda f: wide(f, as_csv(wide_rows()[:7]), as_csv(wide_rows()[7:])),
    "semicolons": lambda f: wide(
        f, as_csv(wide_rows(), delimiter=";"), mapping=MAPPING.replace("date_format", 'delimiter = ";"\ndate_format')
        .replace("defaults", 'delimiter = ";"\ndefaults'),
    ),
    "blanks and nulls": lambda f: wide(
        f, as_csv([{k: f" {v or 'N/A'} " for k, v in r.items()} for r in wide_rows()]),
        mapping=MAPPING.replace("date_format", 'nulls = ["N/A"]\ndate_format').replace("defaults", 'nulls = ["N/A"]\ndefaults'),
    ),
    "the same file by two patterns": lambda f: wide(
        f, as_csv(wide_rows()), mapping=MAPPING.replace('"records/*.csv"\ncolumns', '"*/*.csv"\ncolumns')
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_wide_csv_is_the_same_register(form: str, expected: list[tuple[str, int, str]], tmp_path: Path) -> None:
    assert made(FORMS[form](tmp_path / "raw"), tmp_path / "register") == expected


def test_two_csv_tables_in_the_contracts_columns_need_no_mapping(expected: list[Any], tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS)
    for part in [*raw.glob("*/*.parquet")]:
        rows = pq.read_table(part).to_pylist()
        part.with_suffix(".CSV").write_bytes(
            as_csv([{k: "" if v is None else str(v) for k, v in r.items()} for r in rows])
        )
        part.unlink()
    assert made(raw, tmp_path / "register") == expected


@pytest.mark.parametrize("text_dates", [False, True])
def test_parquet_under_other_names(text_dates: bool, expected: list[Any], tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS)
    persons, addresses = (next((raw / t).glob("*.parquet")) for t in ("persons", "addresses"))
    table = pq.read_table(persons)
    if text_dates:
        table = table.set_column(6, "birth_date", pc.strftime(table["birth_date"], "%m/%d/%Y"))
    pq.write_table(table.drop_columns(["suffix"]).rename_columns({"birth_date": 'D "O" B', "tin": "TIN no"}), persons)
    pq.write_table(pq.read_table(addresses).drop_columns(["valid_from"]), addresses)
    (raw / "mapping.toml").write_text(
        """
        [persons]
        date_format = "%m/%d/%Y"
        columns = { tin = "TIN no", birth_date = 'D "O" B' }
        [addresses]
        defaults = { valid_from = 2018-04-02 }
        """
    )
    found = open_source(raw)
    assert (found.persons.direct, found.addresses.direct) == (not text_dates, True)
    assert made(raw, tmp_path / "register") == expected


def test_plain_parquet_is_read_as_it_lies(tmp_path: Path) -> None:
    raw = open_source(raw_register(tmp_path / "raw", RECORDS))
    with convert.in_parquet(raw, tmp_path / "working", duck.DuckSettings()) as source:
        assert source.persons == duck.parquet(list(raw.persons.paths))
        assert source.addresses == duck.parquet(list(raw.addresses.paths))
        assert not (tmp_path / "working").exists()


def test_filters_reach_the_files_through_other_names(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS)
    (raw / "mapping.toml").write_text("[persons]\n[addresses]\ndefaults = { valid_from = 2018-04-02, state = 'TX' }")
    found = open_source(raw)
    with convert.in_parquet(found, tmp_path / "working", duck.DuckSettings()) as source, duck.session() as con:
        for relation in (source.persons, source.addresses):
            plan = con.execute(f"EXPLAIN SELECT * FROM {relation} WHERE record_id BETWEEN 3 AND 5").fetchone()
            assert plan and "Filters:" in plan[1]  # of the scan itself; a filter above it is called FILTER


def test_a_row_without_an_address_and_one_with_a_default(tmp_path: Path) -> None:
    rows = wide_rows()
    for field in ("street", "unit", "city", "state", "zip"):
        rows[0][NAMES[field]] = " "
    rows[1]["ST"] = ""
    raw = wide(tmp_path / "raw", as_csv(rows), mapping=MAPPING.replace("{ valid", "{ state = 'PR', valid"))
    manifest = register.build(raw, tmp_path / "register")
    assert (manifest.rows("persons"), manifest.rows("addresses")) == (30, 29)
    addresses = pq.read_table(manifest.paths("addresses")[0])
    assert addresses["state"].to_pylist()[:2] == ["PR", "TX"]
    assert set(addresses["valid_from"].to_pylist()) == {SINCE}
    assert addresses["valid_to"].null_count == 29


@pytest.mark.parametrize("line_break", ["\n", "\r"])
def test_a_quoted_line_break_is_part_of_its_field_and_rows_are_counted_past_it(line_break: str, tmp_path: Path) -> None:
    rows = wide_rows()
    rows[1]["LINE 1"] = f"12 OAK ST{line_break}REAR"
    raw = wide(tmp_path / "raw", as_csv(rows))
    manifest = register.build(raw, tmp_path / "register")
    assert f"12 OAK ST{line_break}REAR" in pq.read_table(manifest.paths("addresses")[0])["street"].to_pylist()
    rows[4]["ID"] = CANARY
    (raw / "records" / "0.csv").write_bytes(as_csv(rows))
    assert refused(raw, tmp_path / "other") == ("REGISTER_ID", "records/0.csv, row 5")


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
    "a decoy's id": (changed("record_id", "-4"), "REGISTER_IDS", ROW4),
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


def refused(raw: Path, target: Path) -> tuple[str, str]:
    """Code and place of the error that a build ends with, which quotes no value and leaves no row behind."""
    with pytest.raises(BadInput) as caught:
        register.build(raw, target)
    error = caught.value
    assert CANARY.lower() not in f"{error} {error.message} {error.where} {error.remedy}".lower()
    assert error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
    assert error.remedy
    assert not (target.parent / f".{target.name}.raw").exists()
    return error.code, str(error.where)


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


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[person]", "person"),
        ("[persons]\ncolum = {}", "persons.colum"),
        ("[persons]\ncolumns = { ssn = 'SSN' }", "ssn"),
        ("[persons]\ncolumns = { street = 'S' }", "street"),
        ("[persons]\ndefaults = { valid_from = 2020-01-01 }", "persons.defaults"),
        ("[addresses]\ndefaults = { zip = '77002' }", "addresses.defaults.zip"),
        ("[addresses]\ndefaults = { valid_from = 'soon' }", "addresses.defaults.valid_from"),
        ("[persons]\nformat = 'xml'", "persons.format"),
        ("[persons]\ndelimiter = '::'", "persons.delimiter"),
        ("[persons]\nfiles = '../other/*.csv'", "persons.files"),
        ("[persons]\nfiles = '/etc/*.csv'", "persons.files"),
        ("[persons]\nfiles = ''", "persons.files"),
        ("[persons]\ndate_format = '%m/%d/%y'", "persons.date_format"),
        ("[persons]\ndate_format = '%Y-%m'", "persons.date_format"),
        ('[persons]\ndate_format = "%Y-%m-%d\' OR 1"', "persons.date_format"),
    ],
)
def test_a_wrong_key_of_the_mapping_is_named(text: str, key: str, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(text)
    with pytest.raises(BadInput, match="MAPPING_INVALID") as caught:
        read_mapping(tmp_path)
    assert key in caught.value.message and caught.value.where == "mapping.toml" and caught.value.remedy


@pytest.mark.parametrize(
    ("form", "text", "read"),
    [
        ("%m/%d/%Y", "3/9/1964", True),
        ("%Y%m%d", "19640309", True),
        ("%Y%m%d", "1964039", False),
        ("%d-%b-%Y", "09-MAR-1964", True),
        ("%Y-%m-%d %H:%M:%S", "1964-03-09 00:00:00", True),
        ("%Y.%m.%d", "1964-03-09", False),
    ],
)
def test_dates_as_people_write_them(form: str, text: str, read: bool, tmp_path: Path) -> None:
    rows = wide_rows()
    for row in rows:
        row["DOB"] = text
    raw = wide(tmp_path / "raw", as_csv(rows), mapping=MAPPING.replace("%m/%d/%Y", form))
    if not read:
        assert refused(raw, tmp_path / "register") == ("REGISTER_DATE", "records/0.csv, row 1")
        return
    persons = pq.read_table(register.build(raw, tmp_path / "register").paths("persons")[0])
    assert set(persons["s_birth"].to_pylist()) == {date(1964, 3, 9)}


def test_an_interrupted_build_goes_on_from_what_was_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    raw, target = wide(tmp_path / "raw", as_csv(wide_rows())), tmp_path / "register"

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["pipelines.register.build"], "ranges", killed)
        with pytest.raises(KeyboardInterrupt):
            register.build(raw, target)
    assert (tmp_path / ".register.raw" / "manifest.json").is_file()
    assert not (tmp_path / ".register.raw").stat().st_mode & 0o077
    with monkeypatch.context() as patch:
        patch.setattr(convert.Convert, "__call__", killed)
        assert register.build(raw, target).rows("persons") == 30
    assert not (tmp_path / ".register.raw").exists()


def test_another_mapping_is_another_register(tmp_path: Path) -> None:
    raw, target = wide(tmp_path / "raw", as_csv(wide_rows())), tmp_path / "register"
    register.build(raw, target)
    first = register.version(target)
    assert {p.name for p in register.files(raw)} == {"0.csv", "mapping.toml"}
    (raw / "mapping.toml").write_text(MAPPING.replace("2018-04-02", "2019-04-02"))
    register.build(raw, target)
    assert register.version(target) != first


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "infra/docs/register.md").read_text()
    (wide_csv,) = re.findall(r"```\n(ID,.*?)```", page, re.DOTALL)
    (mapping,) = re.findall(r"```toml\n(\[persons\].*?)```", page, re.DOTALL)
    manifest = register.build(wide(tmp_path / "raw", wide_csv.encode(), mapping=mapping), tmp_path / "register")
    assert manifest.rows("persons") == manifest.rows("addresses") == wide_csv.count("\n") - 1
    persons = pq.read_table(manifest.paths("persons")[0])
    assert persons["s_birth"].to_pylist() == [date(1961, 3, 9), None]


def test_the_documentation_lists_every_code() -> None:
    page = (Path(__file__).parents[2] / "infra/docs/register.md").read_text()
    assert {code for _, code, _ in CASES.values()} <= set(re.findall("`([A-Z_0-9]+)`", page))


def test_a_register_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert register.files(tmp_path / "nowhere") == []


def test_a_fault_of_the_disk_is_no_fault_of_the_register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: Any) -> None:
        raise OSError(CANARY)

    monkeypatch.setattr("pipelines.register.read_csv.read_csv", broken)
    with pytest.raises(SluicegateError) as caught:
        register.build(wide(tmp_path / "raw", as_csv(wide_rows())), tmp_path / "register")
    assert not isinstance(caught.value, BadInput) and CANARY not in str(caught.value)


def test_the_layouts_pattern_takes_one_digit_only_between_separators() -> None:
    assert Layout().date_pattern == "[1-9][0-9]{3}[-][0-9]{1,2}[-][0-9]{1,2}"
    assert Layout(date_format="%Y%m%d").date_pattern == "[1-9][0-9]{3}[0-9]{2}[0-9]{2}"
