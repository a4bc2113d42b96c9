"""Each address rule fails on its poison, alone; the clean row meets all; the all-null row meets none."""

from __future__ import annotations

import pyarrow as pa
import pytest

from expectations import address, duck
from expectations.codes import ADDRESS_CODES
from expectations.rules import address as rules
from expectations.rules.rule import Rule, failing_codes


@pytest.fixture(scope="module")
def codes() -> dict[str, list[str]]:
    """The codes of the clean row and of each rule's poison, all in one query."""
    rows = {"clean": rules.CLEAN, **{rule.id: {**rules.CLEAN, **rule.poison} for rule in rules.RULES.values()}}
    columns = {c: pa.array([row[c] for row in rows.values()], pa.string()) for c in rules.CLEAN}
    with duck.session(duck.DuckSettings(threads=1)) as con:
        address.setup(con)
        con.register("t", pa.table({"name": list(rows), **columns}))
        derived = address.derive("t", one_line=True, premises=rules.PREMISES)
        found = con.execute(f"SELECT name, {failing_codes(rules.RULES.values())} FROM ({derived})").fetchall()
    assert len(found) == len(rows)
    return dict(found)


def test_clean_row_meets_every_rule(codes: dict[str, list[str]]) -> None:
    assert codes["clean"] == []


@pytest.mark.parametrize("rule", rules.RULES.values(), ids=lambda r: r.id)
def test_poison_violates_its_rule_and_no_other(codes: dict[str, list[str]], rule: Rule) -> None:
    assert codes[rule.id] == [rule.code]


def test_one_rule_a_code_but_crowded() -> None:
    assert sorted(r.code for r in rules.RULES.values()) == sorted(set(ADDRESS_CODES) - {"CROWDED"})


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
