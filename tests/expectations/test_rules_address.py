"""Each address rule fails on its poison, alone; the clean row meets all; the all-null row meets none."""

from __future__ import annotations

import pyarrow as pa
import pytest

from expectations import address, crowding, duck
from expectations.codes import ADDRESS_CODES
from expectations.rules import address as rules
from expectations.rules.rule import Rule, failing_codes

UNSAID = ("s_first", "s_middle", "s_suffix", "s_birth", "s_tin")


@pytest.fixture(scope="module")
def codes() -> dict[str, list[str]]:
    """The codes of the clean row and of each rule's poison, all in one query; each row is a person of its own."""
    rows = {"clean": rules.CLEAN, **{rule.id: {**rules.CLEAN, **rule.poison} for rule in rules.RULES.values()}}
    limit = len(rows)
    rows |= {f"neighbour {n}": {**rules.CLEAN, **rules.CROWD} for n in range(limit)}
    columns = {c: pa.array([row[c] for row in rows.values()], pa.string()) for c in rules.CLEAN}
    with duck.session(duck.DuckSettings(threads=1)) as con:
        address.setup(con)
        con.register("t", pa.table({"ordinal": range(len(rows)), "s_last": list(rows), **columns}))
        named = f"(SELECT *, 'request' AS origin, {', '.join(f'NULL AS {c}' for c in UNSAID)} FROM t)"
        derived = address.derive(named, one_line=True, premises=rules.PREMISES)
        con.execute(f"CREATE TABLE parsed AS {derived}")
        marked = crowding.marked("parsed", f"({crowding.sql('parsed', limit)})", "a_codes")
        found = con.execute(f"SELECT s_last, {failing_codes(rules.RULES.values())} FROM ({marked})").fetchall()
    assert len(found) == len(rows)
    return dict(found)


def test_clean_row_meets_every_rule(codes: dict[str, list[str]]) -> None:
    assert codes["clean"] == []


@pytest.mark.parametrize("rule", rules.RULES.values(), ids=lambda r: r.id)
def test_poison_violates_its_rule_and_no_other(codes: dict[str, list[str]], rule: Rule) -> None:
    assert codes[rule.id] == [rule.code]


def test_one_rule_a_code() -> None:
    assert sorted(r.code for r in rules.RULES.values()) == sorted(ADDRESS_CODES)


def test_all_null_row_fails_every_rule() -> None:
    with duck.session() as con:
        row = con.execute(
            f"SELECT {failing_codes(rules.RULES.values())} FROM (SELECT CAST(NULL AS VARCHAR[]) AS a_codes)"
        ).fetchone()
    assert row is not None and len(row[0]) == len(rules.RULES)


@pytest.mark.parametrize(("codes", "complete"), [("[]", True), ("['UNIQUE_ZIP']", True), ("['NO_ZIP', 'UNIQUE_ZIP']", False), ("NULL::VARCHAR[]", False)])  # fmt: skip
def test_complete(codes: str, complete: bool) -> None:
    with duck.session() as con:
        assert con.execute(f"SELECT {rules.sql_complete(codes)}").fetchone() == (complete,)
