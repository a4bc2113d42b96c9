"""A raw register is one register whatever its form: CSV or Parquet, wide or in two tables, under other names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from expectations.base import duck
from pipelines import register
from pipelines.register import convert, table
from pipelines.register.source import FORMATS, open_source
from tests.factories.match_inputs import ONE, raw_register
from tests.factories.raw_registers import MAPPING, NAMES, RECORDS, SINCE, as_csv, made, wide, wide_rows


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
    with convert.in_parquet(raw, tmp_path / "working", ONE) as source:
        assert source.persons == duck.parquet(list(raw.persons.paths))
        assert source.addresses == duck.parquet(list(raw.addresses.paths))
        assert not (tmp_path / "working").exists()


def test_filters_reach_the_files_through_other_names(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS)
    (raw / "mapping.toml").write_text("[persons]\n[addresses]\ndefaults = { valid_from = 2018-04-02, state = 'TX' }")
    found = open_source(raw)
    with convert.in_parquet(found, tmp_path / "working", ONE) as source, duck.session() as con:
        for relation in (source.persons, source.addresses):
            plan = con.execute(f"EXPLAIN SELECT * FROM {relation} WHERE record_id BETWEEN 3 AND 5").fetchone()
            assert plan and "Filters:" in plan[1]  # of the scan itself; a filter above it is called FILTER


def test_a_row_without_an_address_and_one_with_a_default(tmp_path: Path) -> None:
    rows = wide_rows()
    for field in ("street", "unit", "city", "state", "zip"):
        rows[0][NAMES[field]] = " "
    rows[1]["ST"] = ""
    raw = wide(tmp_path / "raw", as_csv(rows), mapping=MAPPING.replace("{ valid", "{ state = 'PR', valid"))
    manifest = register.build(raw, tmp_path / "register", duck=ONE)
    assert (manifest.rows("persons"), manifest.rows("addresses")) == (30, 29)
    addresses = pq.read_table(manifest.paths("addresses")[0])
    assert addresses["state"].to_pylist()[:2] == ["PR", "TX"]
    assert set(addresses["valid_from"].to_pylist()) == {SINCE}
    assert addresses["valid_to"].null_count == 29


def test_an_interrupted_build_goes_on_from_what_was_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    raw, target = wide(tmp_path / "raw", as_csv(wide_rows())), tmp_path / "register"

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["pipelines.register.build"], "ranges", killed)
        with pytest.raises(KeyboardInterrupt):
            register.build(raw, target, duck=ONE)
    assert (tmp_path / ".register.raw" / "manifest.json").is_file()
    assert not (tmp_path / ".register.raw").stat().st_mode & 0o077
    with monkeypatch.context() as patch:
        patch.setattr(convert.Convert, "__call__", killed)
        assert register.build(raw, target, duck=ONE).rows("persons") == 30
    assert not (tmp_path / ".register.raw").exists()


def test_a_register_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert register.files(tmp_path / "nowhere") == []


def test_the_columns_of_every_format_can_be_found() -> None:
    assert set(table._TYPES) == set(FORMATS.values())
