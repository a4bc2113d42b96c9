"""Properties of the twin's marks: what the SQL finds to be one place bears one mark, so that the second opinion holds
no batch wrongly; and what differs by a number, a street, a unit or a ZIP bears two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from expectations import address
from expectations.address import twin_place
from expectations.base import duck
from tests.generative.examples import examples
from tests.generative.test_addresses import DELIVERY_LINE, LINES, ROWS, judged

SETTINGS = settings(
    max_examples=examples(2),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_PARTS = ("a_kind", "a_number", "a_street", "a_unit", "a_urb", "a_state", "a_zip")
HOUSTON = {"city": "Houston", "state": "TX", "zip": "77002"}
PUERTO_RICO = {"city": "San Juan", "state": "PR", "zip": "00926"}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        address.setup(connection)
        yield connection


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    mark = twin_place.mark(one)
    return mark is not None and mark.same(twin_place.mark(other))


@given(rows=st.lists(st.one_of(ROWS, LINES), min_size=80, max_size=80))
@SETTINGS
def test_an_address_and_its_standard_form_bear_one_mark(
    con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]
) -> None:
    judged(con, rows)
    form = f"""SELECT i, {DELIVERY_LINE} AS street, a_unit AS unit, a_city AS city, a_state AS state, a_zip AS zip
      FROM ({address.derive("t", one_line=True)})
      WHERE a_kind <> 'general_delivery' AND a_number IS NOT NULL AND a_state IS NOT NULL AND a_zip IS NOT NULL"""
    for found in con.execute(form).to_arrow_table().to_pylist():
        row = rows[found.pop("i")]
        assert same(row, found), (row, found)


# Two ways to write one place, and one that is another: the SQL must say so, and the twin as well.
SAME: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"street": "100 North Main Street Apt 4"}, {"street": "100 N MAIN ST", "unit": "#4"}),
    ({"street": "Apt 1B 626 E Main St"}, {"street": "626 EAST MAIN ST", "unit": "1B"}),
    ({"street": "12 No Main St"}, {"street": "12 N MAIN ST"}),
    ({"street": "12 Main St Apt No 4"}, {"street": "12 MAIN ST", "unit": "4"}),
    ({"street": "100 Fifth Avenue"}, {"street": "100 5TH AVE"}),
    ({"street": "One Church St"}, {"street": "1 CHURCH ST"}),
    ({"street": "4510 Co Hwy 12"}, {"street": "4510 COUNTY HIGHWAY 12"}),
    ({"street": "12 Hwy 4 # 4"}, {"street": "12 HIGHWAY 4", "unit": "APT 4"}),
    ({"street": "200 Center St A"}, {"street": "200 CENTER ST", "unit": "UNIT A"}),
    ({"street": "200 Center St, 4th Floor"}, {"street": "200 CENTER ST", "unit": "FL 4"}),
    ({"street": "PO Box 12"}, {"street": "P.O. BOX 12"}),
    ({"street": "123 Main St PO Box 12"}, {"street": "POST OFFICE BOX 12"}),
    ({"street": "PO Bx #12"}, {"street": "PO BOX 12"}),
    ({"street": "Drawer 12"}, {"street": "PO BOX 12"}),
    ({"street": "Oak Farm RR 4 Box 87A"}, {"street": "RURAL ROUTE 4 BOX 87A"}),
    ({"street": "HC 68 Box 9"}, {"street": "HC 68 BOX 9"}),
    (
        {"street": "Urb Las Gladiolas 150 Calle A", **PUERTO_RICO},
        {"street": "150 CALLE A", "urbanization": "LAS GLADIOLAS", **PUERTO_RICO},
    ),
    ({"street": "Calle 7 150", **PUERTO_RICO}, {"street": "150 CALLE 7", **PUERTO_RICO}),
]
OTHER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"street": "100 Main St"}, {"street": "102 MAIN ST"}),
    ({"street": "4 Main St Apt 12"}, {"street": "12 MAIN ST", "unit": "APT 4"}),
    ({"street": "100 Main St"}, {"street": "100 MAIN AVE"}),
    ({"street": "100 Main St"}, {"street": "100 OAK ST"}),
    ({"street": "100 N Main St"}, {"street": "100 S MAIN ST"}),
    ({"street": "100 Main St Apt 4"}, {"street": "100 MAIN ST", "unit": "APT 5"}),
    ({"street": "100 Main St Apt 4"}, {"street": "100 MAIN ST"}),
    ({"street": "100 Main St", "zip": "77003"}, {"street": "100 MAIN ST"}),
    ({"street": "PO Box 12"}, {"street": "PO BOX 13"}),
    ({"street": "PO Box 12"}, {"street": "12 BOX ST"}),
    ({"street": "RR 4 Box 87"}, {"street": "RR 87 BOX 4"}),
    ({"street": "RR 4 Box 87"}, {"street": "HC 4 BOX 87"}),
    (
        {"street": "150 Calle A", "urbanization": "LAS GLADIOLAS", **PUERTO_RICO},
        {"street": "150 CALLE A", "urbanization": "LOS ANGELES", **PUERTO_RICO},
    ),
]


@pytest.mark.parametrize(("pairs", "wanted"), [(SAME, True), (OTHER, False)])
def test_the_twin_and_the_sql_agree_on_pairs(
    con: duckdb.DuckDBPyConnection, pairs: list[tuple[dict[str, Any], dict[str, Any]]], wanted: bool
) -> None:
    rows = [{"unit": None, "urbanization": None, **HOUSTON, **one} for pair in pairs for one in pair]
    names = (*rows[0], "i")
    con.execute(f"CREATE OR REPLACE TABLE p ({', '.join(f'{n} VARCHAR' for n in names)})")
    given_rows = [[*(row.get(n) for n in names[:-1]), str(i)] for i, row in enumerate(rows)]
    con.executemany(f"INSERT INTO p ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", given_rows)
    parsed = address.derive("p", one_line=False, urbanization=True)
    found = con.execute(f"SELECT {', '.join(_PARTS)} FROM ({parsed}) ORDER BY CAST(i AS INTEGER)").fetchall()
    for n, pair in enumerate(pairs):
        assert (pair, found[2 * n] == found[2 * n + 1]) == (pair, wanted)
        assert (pair, same(rows[2 * n], rows[2 * n + 1])) == (pair, wanted)
