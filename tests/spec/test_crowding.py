"""When an address is crowded: what makes two rows one address, and what makes them one person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from expectations.base import duck
from expectations.contracts.stages import CANONICAL
from expectations.facts import crowding

LIMIT = 3
HOME = {"a_kind": "street", "a_number": "12", "a_street": "ELM ST", "a_unit": "4", "a_zip": "77002"}
WHO = {"s_first": "ANA", "s_middle": "M", "s_last": "LOPEZ", "s_birth": date(1980, 5, 17), "s_tin": "234567890"}
SURNAMES = ("ADAMS", "BAKER", "CLARK", "DAVIS", "EVANS")


def persons(count: int, **changes: Any) -> list[dict[str, Any]]:
    """Rows for `count` persons at one address."""
    return [{**HOME, **WHO, "s_last": name, **changes} for name in SURNAMES[:count]]


# name | rows | how many of them, from the first on, are crowded
TABLE: list[tuple[str, list[dict[str, Any]], int]] = [
    ("exactly the limit", persons(LIMIT), 0),
    ("one more", persons(LIMIT + 1), LIMIT + 1),
    ("every row there, also of one person twice", [*persons(LIMIT + 1), persons(1)[0]], LIMIT + 2),
    ("one person many times", [{**HOME, **WHO}] * 9, 0),
    ("another unit is another address", [*persons(LIMIT), *persons(1, a_unit="5")], 0),
    ("so is none", [*persons(LIMIT), *persons(1, a_unit=None)], 0),
    ("and another urbanization", [*persons(LIMIT), *persons(1, a_urb="LOS PINOS")], 0),
    ("and another ZIP", [*persons(LIMIT), *persons(1, a_zip="77003")], 0),
    ("no unit on any row", persons(LIMIT + 1, a_unit=None), LIMIT + 1),
    ("the city's spelling makes no other address", [*persons(LIMIT), *persons(4, a_city="SPFLD")[3:]], LIMIT + 1),
    ("control rows do not count", [*persons(LIMIT), *persons(4, origin="decoy")[3:]], 0),
    ("nor are they crowded", [*persons(LIMIT + 1), *persons(5, origin="decoy")[4:]], LIMIT + 1),
    ("what was not parsed is no address", persons(LIMIT + 1, a_kind=None), 0),
    ("rows that ended otherwise count", persons(LIMIT + 1, outcome="duplicate"), LIMIT + 1),
    *(
        (f"another {name}", [{**HOME, **WHO, name: value} for value in values], LIMIT + 1)
        for name, values in {
            "s_first": ("ANA", "BEA", "CARA", None),
            "s_middle": ("M", "N", "O", None),
            "s_suffix": ("JR", "SR", "II", None),
            "s_birth": (date(1980, 5, 17), date(1980, 5, 18), date(1980, 5, 19), None),
            "s_tin": ("234567890", "234567891", "234567892", None),
        }.items()
    ),
]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        yield connection


@pytest.mark.parametrize("line", range(len(TABLE)), ids=[r[0] for r in TABLE])
def test_crowded(line: int, con: duckdb.DuckDBPyConnection) -> None:
    _, rows, crowded = TABLE[line]
    given = [{"ordinal": n, "origin": "request", "a_codes": [], **row} for n, row in enumerate(rows)]
    loose = pa.schema([pa.field(f.name, f.type) for f in CANONICAL])
    con.register("batch", pa.Table.from_pylist(given, schema=loose))
    assert [n for (n,) in con.execute(crowding.sql("batch", LIMIT)).fetchall()] == list(range(crowded))
    marked = crowding.marked("batch", f"({crowding.sql('batch', LIMIT)})", "a_codes")
    codes = con.execute(f"SELECT a_codes FROM ({marked}) ORDER BY ordinal").fetchall()
    assert codes == [(["CROWDED"],)] * crowded + [([],)] * (len(rows) - crowded)


def test_the_code_stands_sorted_among_the_others(con: duckdb.DuckDBPyConnection) -> None:
    row = "(SELECT 1 AS ordinal, ['CITY_NOT_IN_ZIP', 'NO_ZIP'] AS a_codes)"
    marked = crowding.marked(row, "(SELECT 1 AS ordinal)", "a_codes")
    assert con.execute(f"SELECT a_codes FROM ({marked})").fetchone() == (["CITY_NOT_IN_ZIP", "CROWDED", "NO_ZIP"],)
