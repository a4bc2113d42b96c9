"""Properties of addresses: the twin agrees, tricks never help, the standard form is stable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from expectations import address
from expectations.address import reference, twin
from expectations.base import duck
from expectations.codes import BLOCKING_ADDRESS_CODES
from tests.generative.examples import examples

FIELDS = ("address", "street", "unit", "city", "state", "zip")
# each example is a list of rows, so that shrinking would cost a query a step
SETTINGS = settings(
    max_examples=examples(2),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        address.setup(connection)
        yield connection


def judged(
    con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], left_out: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    columns = {f: pa.array([r.get(f) for r in rows], pa.string()) for f in FIELDS}
    con.register("given_rows", pa.table({"i": list(range(len(rows))), **columns}))
    con.execute("CREATE OR REPLACE TABLE t AS SELECT * FROM given_rows")
    query = address.derive("t", one_line=True, left_out=left_out)
    return con.execute(f"SELECT * FROM ({query}) ORDER BY i").to_arrow_table().to_pylist()


def blocking(codes: list[str]) -> list[str]:
    return [c for c in codes if c in BLOCKING_ADDRESS_CODES]


NUMBERS = st.one_of(
    st.integers(0, 99999).map(str), st.sampled_from(["12A", "112-10", "403 1/2", "N6W23001", "One", "67/69", "", "0"])
)
NAMES = st.sampled_from(["Main", "Fifth", "Martin Luther King", "10th", "Elm Grove", "", "A", "North"])
SUFFIXES = st.sampled_from(["St", "street", "AVE", "Blvd.", "Lane", ""])
SIDES = st.sampled_from(["", "", "N", "southwest", "E."])
UNITS = st.sampled_from([None, None, "Apt 4", "#12", "STE B", "Unit 100"])
STREETS = st.builds(lambda *words: " ".join(w for w in words if w), NUMBERS, SIDES, NAMES, SUFFIXES)
OTHERS = st.sampled_from(
    [
        "PO Box 12",
        "P.O. BOX",
        "RR 4 Box 12",
        "HC 2",
        "PSC 802 Box 74",
        "CMR 4",
        "General Delivery",
        "Unknown",
        "123 N/A",
        "NA NA",
        "Transient",
        "County Jail",
        "XXX",
        "12 Main∂St",
        "Drawer 5",
        "",
        None,
    ]
)
PLACES = st.sampled_from(
    [
        ("Houston", "TX", "77002"),
        ("new york", "New York", "10001-1234"),
        ("Houston", "TX", "10001"),
        (None, "TX", "77002"),
        ("Houston", None, "77002"),
        (None, None, "77002"),
        ("Houston", "XX", "77002"),
        ("Houston", "TX", None),
        ("Houston", "TX", "00000"),
        ("APO", "AE", "09001"),
        ("UNKNOWN", "TX", "77002"),
        ("Schenectady", "ny", "12345"),
        ("St. Louis", "Mo.", "63118"),
        ("Nowhere", "TX", "7700"),
    ]
)
ROWS = st.builds(
    lambda street, unit, place: {"street": street, "unit": unit, "city": place[0], "state": place[1], "zip": place[2]},
    st.one_of(STREETS, STREETS, OTHERS),
    UNITS,
    PLACES,
)
LINES = st.builds(
    lambda street, place: {
        "address": ", ".join(p for p in (street, place[0], " ".join(x for x in place[1:] if x)) if p)
    },
    st.one_of(STREETS, OTHERS),
    PLACES,
)


@pytest.mark.parametrize("left_out", [(), ("state", "city")])
@given(rows=st.lists(st.one_of(ROWS, LINES), min_size=60, max_size=60))
@SETTINGS
def test_twin_agrees(con: duckdb.DuckDBPyConnection, left_out: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    for row, found in zip(rows, judged(con, rows, left_out), strict=True):
        assert (row, blocking(found["a_codes"])) == (row, twin.judge(row, left_out))


# The delivery line of a parsed address, without its unit.
DELIVERY_LINE = """CASE WHEN a_kind = 'general_delivery' THEN a_street
  WHEN a_kind = 'po_box' OR prefix(a_number, 'KM ') THEN a_street || ' ' || a_number
  WHEN a_kind IN ('rural', 'military') THEN a_street || ' BOX ' || a_number ELSE a_number || ' ' || a_street END"""


@given(rows=st.lists(ROWS, min_size=60, max_size=60))
@SETTINGS
def test_standard_form_is_stable(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    columns = ("a_kind", "a_number", "a_street", "a_unit", "a_city", "a_state", "a_zip", "a_codes")
    judged(con, rows)
    before = ", ".join(f"{c} AS was_{c}" for c in columns)
    form = f"""SELECT i, CAST(NULL AS VARCHAR) AS address, {DELIVERY_LINE} AS street, a_unit AS unit,
      a_city AS city, coalesce(a_state, state) AS state, a_zip AS zip, {before}
      FROM ({address.derive("t", one_line=True)}) WHERE a_kind IS NOT NULL"""
    again = con.execute(address.derive(f"({form})", one_line=True)).to_arrow_table().to_pylist()
    for row in again:
        assert {c: row[c] for c in columns} == {c: row[f"was_{c}"] for c in columns}


@given(
    rows=st.lists(
        st.text(st.characters(exclude_categories=["Nd", "No", "Nl", "Cs"]), max_size=40), min_size=60, max_size=60
    )
)
@SETTINGS
def test_nothing_without_a_digit_is_complete(con: duckdb.DuckDBPyConnection, rows: list[str]) -> None:
    lines = [{"address": f"{r}, Houston, TX"} for r in rows]
    parts = [{"street": r, "city": "Houston", "state": "TX", "zip": "77002"} for r in rows if r.strip()]
    for found in judged(con, lines):
        assert blocking(found["a_codes"])
    for found in judged(con, parts or [{}]):
        spelled = (found["a_number"] or "0") in reference.standard("numbers").values()
        assert blocking(found["a_codes"]) or found["a_kind"] == "general_delivery" or spelled


WIDE = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in map(chr, range(0x21, 0x7F))})
GREEK = str.maketrans("ABEHIKMNOTXYZ", "ΑΒΕΗΙΚΜΝΟΤΧΥΖ")
CYRILLIC = str.maketrans("ABCEHIKMOPTX", "АВСЕНІКМОРТХ")
TRICKS = st.sampled_from(
    [
        str.lower,
        str.title,
        " ".join,
        "\u200b".join,
        ".".join,
        "-".join,
        "\u2060 ".join,
        lambda s: s.translate(WIDE),
        lambda s: s.translate(GREEK),
        lambda s: s.translate(CYRILLIC),
        lambda s: f"  {s}!! ",
        lambda s: s.replace(" ", "  /  "),
        lambda s: f"0 {s}",
        lambda s: f"12 {s}",
        lambda s: f"{s} 99",
        lambda s: f"({s})",
        lambda s: s.replace("O", "0"),
        lambda s: f"{s}\u0301",
    ]
)
DENIED = st.sampled_from(reference.phrases("placeholders"))


@given(rows=st.lists(st.tuples(DENIED, TRICKS, TRICKS), min_size=60, max_size=60))
@SETTINGS
def test_no_placeholder_is_complete_under_tricks(
    con: duckdb.DuckDBPyConnection, rows: list[tuple[str, Any, Any]]
) -> None:
    texts = [second(first(phrase)) for phrase, first, second in rows]
    for found in judged(con, [{"street": t, "city": "Houston", "state": "TX", "zip": "77002"} for t in texts]):
        assert blocking(found["a_codes"]), found["street"]
    for found in judged(con, [{"address": f"{t}, Houston, TX 77002"} for t in texts]):
        assert blocking(found["a_codes"]), found["address"]


def test_all_null_row_is_not_complete(con: duckdb.DuckDBPyConnection) -> None:
    assert (
        blocking(judged(con, [{}])[0]["a_codes"]) == ["NO_ADDRESS", "NO_CITY", "NO_STATE", "NO_ZIP"] == twin.judge({})
    )
