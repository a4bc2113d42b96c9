"""When two requests give one reason, and when an officer is one person: what a requester could write to look
otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from expectations.base import duck
from expectations.facts import counts, reasons
from expectations.facts.letter import LetterFacts
from expectations.instruments import Agreement
from expectations.suites import made_letter
from tests.spec.book import letter_facts

GIVEN = "Address needed to serve the defendant."
# a reason, case number of its row, whether it is the reason GIVEN
TABLE: list[tuple[str, str, bool]] = [
    ("ADDRESS NEEDED - to serve; the   defendant", "C-1", True),
    ("Address needed to serve the defendant. (17)", "C-1", True),
    ("000018 Address needed to serve the defendant", "C-1", True),
    ("Address needed to serve the defendant no17", "C-17", True),
    ("Address needed to serve the defendant; x1", "C-1", True),
    ("Address need\u200bed to serve the defend\u00adant", "C-1", True),
    ("Áddress néeded to serve the defendant", "C-1", True),
    ("Addre\u0301ss needed to serve the defendant", "C-1", True),
    ("Аddrеss nееdеd tо sеrvе thе dеfеndаnt", "C-1", True),
    ("Αddress needed tο serve the defendant", "C-1", True),
    ("Ａｄｄｒｅｓｓ needed to serve the defendant", "C-1", True),
    ("Address needed to serve the defendant １７", "C-1", True),
    ("Address needed to serve the defendant + ~", "C-1", True),
    ("Address needed to serve the defendant 0017", "FO-2024-0017", False),  # of its own case
    ("Address needed to serve the defendant 0017", "FO-2024-0018", True),
    ("Address needed to serve the defendant: 2025-06-01", "C-1", False),  # the date of its own order
    ("Address needed to serve the defendant: 2026-07-02", "C-1", True),
    ("Address needed to serve the witness", "C-1", False),
]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        yield connection


# reasons that differ in a counter only, however it is written, in GIVEN and in other places
COUNTERS = (
    "twenty-three",
    "twentythree",
    "one hundred and five",
    "the 23rd",
    "thirty-first",
    "no. IV",
    "MCMXCIV",
    "a b c",
    "zz",
    "alpha bravo",
    "treinta y dos",
    "dreiundzwanzig",
    "quatre-vingt-dix",
    "record number nine",
    "Nov. ninth",
    "xxiii",
)
PLACES = ("{}: address needed to serve the defendant", "Address needed {} to serve the defendant", GIVEN + " ({})")


def keys(con: duckdb.DuckDBPyConnection, rows: list[tuple[str, str]]) -> list[set[str]]:
    """The keys of reasons, each with the number of its case."""
    table = {
        "n": range(len(rows)),
        "reason": [reason for reason, _ in rows],
        "case_number": [case for _, case in rows],
        "final_order_date": ["2025-06-01"] * len(rows),
        "judicial_order_date": pa.nulls(len(rows), pa.string()),
    }
    con.register("rows_given", pa.table(table))
    query = f"SELECT * EXCLUDE (n) FROM ({reasons.keys('rows_given', ['n'])}) ORDER BY n"
    return [set(filter(None, row)) for row in con.execute(query).fetchall()]


@pytest.mark.parametrize(("reason", "case", "same"), TABLE)
def test_one_reason(con: duckdb.DuckDBPyConnection, reason: str, case: str, same: bool) -> None:
    first, second = keys(con, [(GIVEN, "C-2"), (reason, case)])
    assert bool(first & second) is same


@pytest.mark.parametrize("place", PLACES)
def test_a_counter_in_words_makes_no_other_reason(con: duckdb.DuckDBPyConnection, place: str) -> None:
    found = keys(con, [(place.format(word), f"C-{n + 500}") for n, word in enumerate(COUNTERS)])
    assert set.intersection(*found), [word for word, one in zip(COUNTERS, found, strict=True) if not one & found[0]]


def test_any_other_word_in_the_place_of_a_counter_is_one_reason_for_a_third_of_the_rows_at_least(
    con: duckdb.DuckDBPyConnection,
) -> None:
    fruit = ("apple", "banana", "cherry", "grape", "lemon", "mango", "orange", "quince", "raspberry", "tangerine")
    rows = [{"request_id": word, "reason": f"{GIVEN} {word}", "case_number": f"C-{word}"} for word in fruit]
    assert len(fruit) / 3 <= counted(con, rows)["identical_reason_rows"] < len(fruit)


def test_requests_that_name_one_case_give_one_reason_only_if_they_say_the_same(con: duckdb.DuckDBPyConnection) -> None:
    several = ["Charged in C-7 with fraud; arraignment", "Witness against Roe in C-7", "Flight risk: C-7, bail revoked"]
    rows = [{"request_id": f"R-{n}", "reason": text, "case_number": "C-7"} for n, text in enumerate(several)]
    assert counted(con, rows)["identical_reason_rows"] == 0
    rows = [{"request_id": f"R-{n}", "reason": f"Serve in C-7, {n}", "case_number": "C-7"} for n in range(3)]
    assert counted(con, rows)["identical_reason_rows"] == 3


# rows (reason, case number) → how many give one reason
COPIED: list[tuple[list[tuple[str, str]], int]] = [
    ([("Serve in case 1", "C-1"), ("Serve in case 2", "C-2")], 0),
    ([("Serve in case 1", "C-1"), ("Serve in case 1", "C-2"), ("Serve in case 3", "C-3")], 2),  # word for word
    ([("Serve, 1", "C-7"), ("Serve, 2", "C-8"), ("Serve", "C-9"), ("Serve 9", "C-9")], 3),
]


def counted(
    con: duckdb.DuckDBPyConnection, rows: list[dict[str, object]], known: LetterFacts | None = None
) -> dict[str, Any]:
    names = ("request_id", "reason", "case_number", "officer", "final_order_date", "judicial_order_date")
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    con.register("given", pa.table({**columns, "ordinal": range(len(rows))}))
    asked = "(SELECT *, 'request' AS origin, 1 AS file, NULL AS outcome, []::VARCHAR[] AS a_codes FROM given)"
    none = "(SELECT 1 AS file, 'request' AS origin WHERE false)"
    query = counts.sql(asked, none, None, known or made_letter.letter_facts())
    return dict(con.execute(query).to_arrow_table().to_pylist()[0])


@pytest.mark.parametrize(("given", "count"), COPIED)
def test_how_many_give_one_reason(con: duckdb.DuckDBPyConnection, given: list[tuple[str, str]], count: int) -> None:
    rows = [{"request_id": f"R-{n}", "reason": reason, "case_number": case} for n, (reason, case) in enumerate(given)]
    assert counted(con, rows)["identical_reason_rows"] == count


# the letter's officers (id, name) → ids under which somebody stands again
OFFICERS: list[tuple[list[tuple[str, str]], dict[str, str]]] = [
    ([("o-1", "Ann Roe"), ("o-2", "Bo Roe")], {}),
    ([("o-1", "Ann Roe"), ("o-2", "ANN  ROE")], {"o-2": "o-1"}),
    ([("o-1", "Ann Roe"), ("o-2", "Roe, Ann"), ("o-3", "Ánn R\u200boe")], {"o-2": "o-1", "o-3": "o-1"}),
    ([("o-1", "Ann Roe"), ("O-1", "Bo Doe"), ("o-2", "Doe Bo")], {"o-1": "O-1", "o-2": "O-1"}),
    ([("o-1", "-"), ("o-2", "-")], {}),
]


@pytest.mark.parametrize(("officers", "alike"), OFFICERS)
def test_one_officer(
    con: duckdb.DuckDBPyConnection, sandbox: Agreement, officers: list[tuple[str, str]], alike: dict[str, str]
) -> None:
    known = letter_facts(sandbox, officers=[{"id": id, "name": name} for id, name in officers])
    assert known.officers_alike == alike
    rows: list[dict[str, object]] = [{"officer": f" {id} "} for id, _ in officers]
    assert counted(con, rows, known)["busiest_officer_rows"] == 1 + len(alike)
