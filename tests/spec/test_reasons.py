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


@pytest.mark.parametrize(("reason", "case", "same"), TABLE)
def test_one_reason(con: duckdb.DuckDBPyConnection, reason: str, case: str, same: bool) -> None:
    rows = "SELECT ? AS reason, ? AS case_number, '2025-06-01' AS final_order_date, NULL AS judicial_order_date"
    said = f"(SELECT *, {reasons.words('reason')} AS words FROM ({rows} UNION ALL {rows}))"
    query = f"SELECT count(DISTINCT {reasons.same('words')}) FROM {said}"
    assert con.execute(query, [GIVEN, "C-2", reason, case]).fetchall() == [(1 if same else 2,)]


def test_numbers_of_nobody_alone_are_one_reason(con: duckdb.DuckDBPyConnection) -> None:
    rows = "(VALUES ('Case 17', 'C-1'), ('Case 18', 'C-2'), ('case #19', NULL)) r(reason, case_number)"
    own = "NULL AS final_order_date, NULL AS judicial_order_date"
    said = f"(SELECT *, {reasons.words('reason')} AS words, {own} FROM {rows})"
    query = f"SELECT DISTINCT {reasons.same('words')} FROM {said}"
    assert con.execute(query).fetchall() == [("CASE",)]


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
    return dict(con.execute(counts.sql(asked, none, None, known)).to_arrow_table().to_pylist()[0])


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
