"""What all row rules cost, of both phases, as a ratio to a bare scan of the columns that they read; and which cost
most.

The rows are made: canonical columns as ingest leaves them, facts on file as validate adds them, and the letter's
constants.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb

from expectations.base import duck
from expectations.base.duck import quote
from expectations.facts import sql
from expectations.names import standard
from expectations.rules import book
from expectations.rules.rule import Rule, failing_codes
from tests.bench.measured import peak_mb

ROWS = 1_280_000
TWO = duck.DuckSettings(threads=2)
OFFICERS = 300
LETTER = {
    "statute": "8 USC 1253(a)(1)",
    "statute_known": True,
    "officers": [f"officer-{n:03}" for n in range(OFFICERS)],
    "letter_date": date(2026, 6, 1),
    "decided_on": date(2026, 6, 1),
    "days_after_final_order": 90,
}
# One row in forty has each thing wrong, by turns.
MADE = """
  SELECT 'R-' || i AS request_id,
    CASE i % 40 WHEN 0 THEN NULL WHEN 1 THEN '2031' ELSE (2018 + i % 4) || '-' || (2022 + i % 3) END AS taxable_period,
    CASE i % 40 WHEN 2 THEN ' n/a ' ELSE 'Prosecution in case FO-' || i ||
      ' under preparation; no departure was recorded since the order.' END AS reason,
    CASE i % 40 WHEN 3 THEN 'nobody' ELSE 'officer-' || lpad((i % {officers})::VARCHAR, 3, '0') END AS officer,
    CASE i % 40 WHEN 4 THEN 'yes' ELSE strftime(DATE '2026-06-01' - (60 + i % 3000)::INTEGER, '%Y-%m-%d') END AS
      final_order_date,
    CASE WHEN i % 10 = 0 THEN strftime(DATE '2026-06-01' - (60 + i % 3000 // 2)::INTEGER, '%Y-%m-%d') ELSE 'none' END AS
      judicial_order_date,
    CASE i % 40 WHEN 5 THEN '1182(a)(6)' ELSE ['1227(a)(1)(B)', '8 USC 1227(a)(2)(A)(iii)', '1227(a)(1)(C)(i)'][1 + i %
      3] END AS removal_ground,
    CASE i % 40 WHEN 6 THEN '' ELSE 'FO-' || i END AS case_number,
    NULL::VARCHAR AS prong, NULL::VARCHAR AS conduct_date, NULL::VARCHAR AS conduct_place,
    NULL::VARCHAR AS proper_steps,
    CASE i % 40 WHEN 7 THEN 'FNU' ELSE 'ANA' END AS s_first, 'LOPEZ' || chr((65 + i % 26)::INTEGER) AS s_last,
    DATE '1950-01-01' + (i % 20000)::INTEGER AS s_birth,
    CASE WHEN i % 3 = 0 THEN NULL ELSE strftime(DATE '1950-01-01' + (i % 20000)::INTEGER, '%Y-%m-%d') END AS birth_date,
    CASE WHEN i % 4 = 0 THEN NULL ELSE lpad((i % 899 + 100)::VARCHAR, 3, '0') || '456789' END AS tin, tin AS s_tin,
    CASE WHEN i % 40 IN (8, 9) THEN ['NO_NUMBER', 'PLACEHOLDER'] ELSE [] END AS a_codes,
    'street' AS a_kind, CASE WHEN i % 2 = 0 THEN (i % 90)::VARCHAR END AS a_unit,
    (i % 3)::INTEGER AS units_on_file, (i % 4)::INTEGER AS earlier_tries, (i % 2)::INTEGER AS tried_beside,
    3 AS tries_per_person,
    CASE i % 40 WHEN 10 THEN 'differs' ELSE 'same' END AS corroboration,
    'request' AS origin, 'TX' AS a_state, []::VARCHAR[] AS lists, []::VARCHAR[] AS lists_required, []::VARCHAR[] AS
      lists_barred, []::VARCHAR[] AS lists_on_file, []::VARCHAR[] AS states_withheld,
    [{{'street': i || ' OAK ST', 'state': 'TX', 'valid_from': DATE '2020-01-01', 'valid_to': NULL::DATE}},
     {{'street': i || ' ELM ST', 'state': 'TX', 'valid_from': DATE '2010-01-01', 'valid_to': DATE '2020-01-01'}}] AS
       addresses_on_file
  FROM range({rows}) made(i)"""


class Cost(NamedTuple):
    seconds: float  # by the clock on the wall: more where others use the machine
    busy: float  # processor time of all threads


def main(rows: int) -> None:
    """Prints seconds, ratio to the bare scan, peak memory, and the five dearest rules."""
    with tempfile.TemporaryDirectory() as place, duck.session(TWO) as connection:
        standard.setup(connection)
        made = Path(place) / "rows.parquet"
        connection.execute(f"COPY ({MADE.format(rows=rows, officers=OFFICERS)}) TO {quote(str(made))} (FORMAT parquet)")
        source = f"(SELECT *, {sql.columns(LETTER, sql.request_constants())} FROM read_parquet({quote(str(made))}))"
        rules = (*book.request_rules(), *book.register_rules())
        floor, took = _cost(connection, _scan(source, rules)), _cost(connection, _judged(source, rules))
        print(
            f"rules, {len(rules)} on {rows:,} rows: {took.seconds:.2f} s on 2 threads ({took.busy:.2f} s of processor"
            f" time), {took.busy / floor.busy:.1f} x the bare scan of their columns ({floor.busy:.2f} s),"
            f" {peak_mb():,} MB"
        )
        each = {one.id: _cost(connection, _judged(source, [one])).busy for one in rules}
        dearest = sorted(each, key=lambda name: -each[name])[:5]
        print("rules, processor time of the dearest: " + ", ".join(f"{name} {each[name]:.2f} s" for name in dearest))


def _scan(source: str, rules: Sequence[Rule]) -> str:
    """Reads every column that the rules read; constants are none of them."""
    names = dict.fromkeys(name for rule in rules for name in rule.inputs if name not in LETTER)
    return f"SELECT bit_xor(hash({', '.join(names)})) FROM {source}"


def _judged(source: str, rules: Sequence[Rule]) -> str:
    phases = [[r for r in rules if r.phase == phase] for phase in dict.fromkeys(r.phase for r in rules)]
    codes = ", ".join(failing_codes(own) for own in phases)
    return f"SELECT bit_xor(hash({codes})) FROM {source}"


def _cost(connection: duckdb.DuckDBPyConnection, query: str) -> Cost:
    """Of the second of two runs: the first one warms caches."""
    connection.execute(query).fetchall()
    begun, busy = time.perf_counter(), time.process_time()
    connection.execute(query).fetchall()
    return Cost(time.perf_counter() - begun, time.process_time() - busy)
