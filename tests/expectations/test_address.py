"""The public functions of `expectations.address` beside parsing: set-up, an operator's list, the shape of the result."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations import address, duck
from expectations.contracts import ADDRESS
from expectations.errors import BadInput

ROW = "(SELECT 7 AS ordinal, '12 Main St' AS street, 'Casa Refugio' AS unit, 'URB Santa Rita' AS urbanization, 'San Juan' AS city, 'PR' AS state, '00926' AS zip)"


def test_derive_adds_the_columns_of_the_contract() -> None:
    with duck.session(duck.DuckSettings(threads=1)) as con:
        address.setup(con)
        table = con.execute(address.derive(ROW, one_line=False, urbanization=True)).to_arrow_table()
    given = ["ordinal", "street", "unit", "urbanization", "city", "state", "zip"]
    assert table.column_names == given + [field.name for field in ADDRESS]
    assert [table.schema.field(f.name).type for f in ADDRESS] == [f.type for f in ADDRESS]
    assert table.to_pylist()[0]["a_urb"] == "SANTA RITA"


def test_an_operator_extends_the_facilities(tmp_path: Path) -> None:
    own = tmp_path / "facilities.csv"
    own.write_text("# ours\nphrase,kind\nCasa Refugio,shelter\n", encoding="utf-8")
    with duck.session(duck.DuckSettings(threads=1)) as con:
        query = f"SELECT a_codes FROM ({address.derive(ROW, one_line=False)})"
        address.setup(con)
        assert con.execute(query).fetchone() == ([],)
        address.setup(con, own)
        assert con.execute(query).fetchone() == (["FACILITY"],)


@pytest.mark.parametrize("text", ["name\nCasa\n", "phrase\n", "phrase\n\n"])
def test_a_list_without_phrases_is_refused(tmp_path: Path, text: str) -> None:
    own = tmp_path / "facilities.csv"
    own.write_text(text, encoding="utf-8")
    with duck.session() as con, pytest.raises(BadInput, match="FACILITIES_UNREADABLE"):
        address.setup(con, own)
