"""The public functions of `expectations.address` beside parsing: set-up, an operator's list, the shape of the
result."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from expectations import address
from expectations.base import duck
from expectations.base.errors import BadInput
from expectations.contracts.stages import ADDRESS

ROW = (
    "(SELECT 7 AS ordinal, '12 Main St' AS street, 'Casa Refugio' AS unit, 'URB Santa Rita' AS urbanization, 'San Juan'"
    " AS city, 'PR' AS state, '00926' AS zip)"
)


def test_derive_adds_the_columns_of_the_contract() -> None:
    with duck.session(duck.DuckSettings(threads=1)) as con:
        address.setup(con)
        table = con.execute(address.derive(ROW, one_line=False, urbanization=True)).to_arrow_table()
    given = ["ordinal", "street", "unit", "urbanization", "city", "state", "zip"]
    assert table.column_names == given + [field.name for field in ADDRESS]
    assert [table.schema.field(f.name).type for f in ADDRESS] == [f.type for f in ADDRESS]
    assert table.to_pylist()[0]["a_urb"] == "SANTA RITA"


def listed(folder: Path, text: str) -> Path:
    """An operator's list."""
    own = folder / "facilities.csv"
    own.write_text(text, encoding="utf-8")
    return own


def codes(con: duckdb.DuckDBPyConnection, relation: str) -> list[list[str]]:
    query = f"SELECT a_codes FROM ({address.derive(relation, one_line=False)}) ORDER BY ordinal"
    return [found for (found,) in con.execute(query).fetchall()]


def test_an_operator_extends_the_facilities(tmp_path: Path) -> None:
    own = listed(tmp_path, "# ours\nphrase,kind\nCasa Refugio,shelter\n")
    with duck.session(duck.DuckSettings(threads=1)) as con:
        address.setup(con)
        assert codes(con, ROW) == [[]]
        address.setup(con, own)
        assert codes(con, ROW) == [["FACILITY"]]
        address.setup(con)
        assert codes(con, ROW) == [[]]
        address.setup(con, own)
    with duck.session(duck.DuckSettings(threads=1)) as con:  # the next one knows nothing of it, and the one after does
        address.setup(con)
        assert codes(con, ROW) == [[]]
    with duck.session(duck.DuckSettings(threads=1)) as con:
        address.setup(con, own)
        assert codes(con, ROW) == [["FACILITY"]]


PARTS = ("street", "unit", "city", "state", "zip")
PLACES = {
    ("700 Refuge Ave", None, "Houston", "TX", "77002"): True,
    ("700 REFUGE AVENUE", "STE 12", "Houston", "TX", "77002-1234"): True,  # another spelling, whatever the unit
    ("702 Refuge Ave", None, "Houston", "TX", "77002"): False,
    ("700 Refuge Ave", None, "Houston", "TX", "77003"): False,
    ("700 Refuge St", None, "Houston", "TX", "77002"): False,
    ("12 Elm St", "Casa Niño", "Houston", "TX", "77002"): True,  # the phrase beside the addresses, with its accent
}


def test_an_operator_lists_addresses(tmp_path: Path) -> None:
    own = listed(tmp_path, '\ufeffaddress,phrase\n"700 Refuge Ave, Houston, TX 77002",\n,Casa Niño\n')
    columns = {
        name: pa.array(column, pa.string()) for name, column in zip(PARTS, zip(*PLACES, strict=True), strict=True)
    }
    with duck.session(duck.DuckSettings(threads=1)) as con:
        address.setup(con, own)
        con.register("places", pa.table({"ordinal": range(len(PLACES)), **columns}))
        found = codes(con, "places")
    assert found == [["FACILITY"] if held else [] for held in PLACES.values()]
    assert address.check(own).addresses == ("700 Refuge Ave, Houston, TX 77002",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name\nCasa\n", "no column"),
        ("phrase\n", "empty"),
        ("phrase,address\n,\n", "empty"),
        ("", "no column"),
        ("address\n700 Refuge Ave, Houston, TX 77002\n", "entry 1 .* more fields"),
        ('address\n"700 Refuge Ave, Houston, TX 77002"\nRefuge Ave\n', "address 2 .* no full address"),
        ('address\n"700 Refuge Ave, Houston, TX"\n', "address 1 .* no full address"),
        ('phrase\n"Casa', "cannot be read"),
        ("phrase\n" + "\n".join(f"Casa Refugio number {n}" for n in range(1_001)), "more than 1,000"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why) as caught:
        address.check(listed(tmp_path, text))
    assert (caught.value.code, caught.value.where) == ("FACILITIES_UNREADABLE", "facilities.csv")
    assert "Refuge" not in str(caught.value) and caught.value.remedy


def test_a_list_that_is_no_file_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"phrase\n\xff\xfe\n")
    for path in (tmp_path, tmp_path / "gone.csv", tmp_path / "binary.csv"):
        with pytest.raises(BadInput, match="cannot be read"):
            address.check(path)


@pytest.mark.parametrize(
    ("codes", "complete"),
    [("[]", True), ("['UNIQUE_ZIP']", True), ("['NO_ZIP', 'UNIQUE_ZIP']", False), ("NULL::VARCHAR[]", False)],
)
def test_complete(codes: str, complete: bool) -> None:
    with duck.session() as con:
        assert con.execute(f"SELECT {address.complete(codes)}").fetchone() == (complete,)
