"""What an agreement may let be left out of an address, and what it then comes to: the table is the rule book."""

from __future__ import annotations

import pyarrow as pa
import pytest

from expectations import address
from expectations.address import twin
from expectations.base import duck
from expectations.codes import BLOCKING_ADDRESS_CODES

PARTS = ("street", "unit", "city", "state", "zip")
STATE, CITY, BOTH = ("state",), ("city",), ("state", "city")
# one line, or street, city, state, ZIP | what may be left out | codes | the state
TABLE: list[tuple[str | tuple[str | None, ...], tuple[str, ...], list[str], str | None]] = [
    (("12 Elm St", "Houston", None, "77002"), (), ["STATE_LEFT_OUT"], None),
    (("12 Elm St", "Houston", None, "77002"), STATE, [], "TX"),
    (("12 Elm St", "Houston", " ", "77002-1234"), STATE, [], "TX"),
    (("12 Elm St", "Houston", None, "77002"), CITY, ["STATE_LEFT_OUT"], None),
    (("12 Elm St", "Houston", "XX", "77002"), BOTH, ["NO_STATE"], None),
    (("12 Elm St", "Houston", "NA", "77002"), BOTH, ["NO_STATE"], None),
    (("12 Elm St", "Houston", None, None), BOTH, ["NO_STATE", "NO_ZIP"], None),
    (("12 Elm St", "Houston", None, "77000"), BOTH, ["NO_STATE", "ZIP_UNKNOWN"], None),
    (("12 Elm St", "Houston", "OK", "77002"), BOTH, ["ZIP_NOT_IN_STATE"], "OK"),
    (("12 Elm St", "Dallas", None, "77002"), STATE, ["CITY_NOT_IN_ZIP"], "TX"),
    (("12 Elm St", None, "TX", "77002"), (), ["NO_CITY"], "TX"),
    (("12 Elm St", None, "TX", "77002"), CITY, [], "TX"),
    (("12 Elm St", None, "TX", "77002"), STATE, ["NO_CITY"], "TX"),
    (("12 Elm St", "7", "TX", "77002"), BOTH, ["NO_CITY"], "TX"),
    (("12 Elm St", "UNKNOWN", "TX", "77002"), BOTH, ["PLACEHOLDER"], "TX"),
    (("12 Elm St", None, None, "77002"), BOTH, [], "TX"),
    (("12 Elm St", None, None, None), BOTH, ["NO_STATE", "NO_ZIP"], None),
    (("PSC 802 Box 74", "APO", None, "09001"), STATE, [], "AE"),  # read as of the state that is implied
    ((None, None, None, "77002"), BOTH, ["NO_ADDRESS"], "TX"),
    ("12 Elm St, Houston 77002", (), ["STATE_LEFT_OUT"], None),
    ("12 Elm St, Houston 77002", STATE, [], "TX"),
    ("12 Elm St, TX 77002", CITY, [], "TX"),
    ("12 Elm St, 77002", BOTH, [], "TX"),
    ("12 Elm St, Houston, Txas 77002", BOTH, ["CITY_NOT_IN_ZIP", "NO_STATE"], None),  # something stands in its place
    ("12 Elm St, Houston, XX 77002", BOTH, ["NO_STATE", "PLACEHOLDER"], None),
    ("77002", BOTH, ["NO_ADDRESS"], "TX"),
]


def row(given: str | tuple[str | None, ...]) -> dict[str, str | None]:
    if isinstance(given, str):
        return {"address": given, **dict.fromkeys(PARTS)}
    street, city, state, zip_code = given
    return {"address": None, "street": street, "unit": None, "city": city, "state": state, "zip": zip_code}


@pytest.fixture(scope="module")
def found() -> dict[int, tuple[list[str], str | None]]:
    """Codes and state of each line of the table, by one query for each thing that may be left out."""
    rows = [{"line": n, **row(given)} for n, (given, *_) in enumerate(TABLE)]
    schema = pa.schema([("line", pa.int64()), *((c, pa.string()) for c in ("address", *PARTS))])
    judged: dict[int, tuple[list[str], str | None]] = {}
    with duck.session(duck.DuckSettings(threads=1)) as con:
        address.setup(con)
        for allowed in ((), STATE, CITY, BOTH):
            own = [r for r in rows if TABLE[r["line"]][1] == allowed]
            con.register("own", pa.Table.from_pylist(own, schema=schema))
            query = address.derive("own", one_line=True, left_out=allowed)
            judged |= {n: (c, s) for n, c, s in con.execute(f"SELECT line, a_codes, a_state FROM ({query})").fetchall()}
    return judged


@pytest.mark.parametrize("line", range(len(TABLE)), ids=[f"{given} {may}" for given, may, *_ in TABLE])
def test_left_out(line: int, found: dict[int, tuple[list[str], str | None]]) -> None:
    given, allowed, codes, state = TABLE[line]
    assert found[line] == (codes, state)
    assert twin.judge(row(given), allowed) == [c for c in codes if c in BLOCKING_ADDRESS_CODES]
