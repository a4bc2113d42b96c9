"""`mapping.toml`: its keys, dates as people write them, and the documentation's example."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from expectations.base.errors import BadInput
from pipelines import register
from pipelines.register.mapping import Layout, read_mapping
from tests.factories.match_inputs import ONE
from tests.factories.paths import DOCS
from tests.factories.raw_registers import MAPPING, as_csv, refused, wide, wide_rows


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
    persons = pq.read_table(register.build(raw, tmp_path / "register", duck=ONE).paths("persons")[0])
    assert set(persons["s_birth"].to_pylist()) == {date(1964, 3, 9)}


def test_another_mapping_is_another_register(tmp_path: Path) -> None:
    raw, target = wide(tmp_path / "raw", as_csv(wide_rows())), tmp_path / "register"
    register.build(raw, target, duck=ONE)
    first = register.version(target)
    assert {p.name for p in register.files(raw)} == {"0.csv", "mapping.toml"}
    (raw / "mapping.toml").write_text(MAPPING.replace("2018-04-02", "2019-04-02"))
    register.build(raw, target, duck=ONE)
    assert register.version(target) != first


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    page = (DOCS / "register.md").read_text()
    (wide_csv,) = re.findall(r"```\n(ID,.*?)```", page, re.DOTALL)
    (mapping,) = re.findall(r"```toml\n(\[persons\].*?)```", page, re.DOTALL)
    manifest = register.build(wide(tmp_path / "raw", wide_csv.encode(), mapping=mapping), tmp_path / "register")
    assert manifest.rows("persons") == manifest.rows("addresses") == wide_csv.count("\n") - 1
    persons = pq.read_table(manifest.paths("persons")[0])
    assert persons["s_birth"].to_pylist() == [date(1961, 3, 9), None]


def test_the_layouts_pattern_takes_one_digit_only_between_separators() -> None:
    assert Layout().date_pattern == "[1-9][0-9]{3}[-][0-9]{1,2}[-][0-9]{1,2}"
    assert Layout(date_format="%Y%m%d").date_pattern == "[1-9][0-9]{3}[0-9]{2}[0-9]{2}"
