"""Every rule of the book meets its spec: the cases of tests/spec/rules, its poison, and the row of which nothing is
known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from expectations import address
from expectations.base import duck
from expectations.codes import ADDRESS_CODES, NOT_CONFIRMED, shown
from expectations.names import standard
from expectations.rules import address as address_rules
from expectations.rules import book
from expectations.rules.rule import Phase, Rule, failing_codes
from tests.spec import book as spec
from tests.spec import render

RULES = {rule.id: rule for rule in book.every_rule()}
CASES = spec.cases()
Judged = tuple[set[str], list[str]]
each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        standard.setup(connection)
        address.setup(connection)
        yield connection


def judged(con: duckdb.DuckDBPyConnection, changes: Mapping[str, Mapping[str, Any]], which: str) -> dict[str, Judged]:
    """For each row of changes on the base of a table, by its name: the rules that it does not meet, and its codes."""
    rules = of_table(which)
    met = ", ".join(f"CASE WHEN {rule.met} THEN NULL ELSE '{rule.id}' END" for rule in rules)
    rows = spec.relations(con, list(changes.values()), which)
    found = con.execute(f"SELECT [{met}], {failing_codes(rules)} FROM {rows} ORDER BY n").fetchall()
    return {
        name: ({rule for rule in failed if rule}, codes) for name, (failed, codes) in zip(changes, found, strict=True)
    }


def of_table(which: str) -> list[Rule]:
    return [rule for rule in RULES.values() if spec.table(rule) == which]


@pytest.fixture(scope="module")
def of_cases(con: duckdb.DuckDBPyConnection) -> dict[str, Judged]:
    """All cases judged, a table at a time."""
    found: dict[str, Judged] = {}
    for which in spec.TABLES:
        own = {case.id: case.changes for case in CASES if spec.table(RULES[case.rule]) == which}
        found |= judged(con, own, which)
    return found


@pytest.fixture(scope="module")
def of_poisons(con: duckdb.DuckDBPyConnection) -> dict[str, Judged]:
    """The violating row of each rule judged, a table at a time."""
    found: dict[str, Judged] = {}
    for which in spec.TABLES:
        found |= judged(con, {rule.id: rule.poison for rule in of_table(which)}, which)
    return found


@pytest.fixture(scope="module")
def bases(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The base of each table, alone, as a table of its own."""
    for which in spec.TABLES:
        name = spec.relations(con, [{}], which)
        con.execute(f"CREATE TEMP TABLE {which}_base AS FROM {name}")
    return {which: f"{which}_base" for which in spec.TABLES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case(of_cases: dict[str, Judged], case: spec.Case) -> None:
    """It meets or violates its rule, and gets these codes."""
    failed, codes = of_cases[case.id]
    assert (case.rule not in failed, tuple(codes)) == (case.meets, case.codes), f"{case.changes} ({case.why})"


@each_rule
def test_every_rule_has_a_case_that_meets_it_and_one_that_violates_it(rule: Rule) -> None:
    found = {case.meets for case in CASES if case.rule == rule.id}
    assert found == {True, False}, f"{rule.id}: write a case that meets it, and one that fails it, in tests/spec/rules"


@pytest.mark.parametrize("which", spec.TABLES)
def test_the_base_meets_every_rule(con: duckdb.DuckDBPyConnection, which: str) -> None:
    assert judged(con, {"base": {}}, which) == {"base": (set(), [])}


@each_rule
def test_its_poison_violates_a_rule_and_gives_its_code_alone(of_poisons: dict[str, Judged], rule: Rule) -> None:
    failed, codes = of_poisons[rule.id]
    # two shares may have one code
    assert rule.id in failed and codes == [rule.code], (
        f"{rule.id}: give its entry in expectations/rules a violating row"
    )


@each_rule
def test_where_nothing_is_known_a_rule_is_not_met(
    con: duckdb.DuckDBPyConnection, bases: dict[str, str], rule: Rule
) -> None:
    name = bases[spec.table(rule)]
    nothing = ", ".join(f"NULL AS {column}" for column in rule.inputs)
    typed = f"SELECT * FROM {name} WHERE false UNION ALL SELECT * REPLACE ({nothing}) FROM {name}"
    assert con.execute(f"SELECT {rule.met} FROM ({typed})").fetchall() == [(False,)]


@each_rule
def test_a_predicate_reads_its_inputs_and_nothing_else(
    con: duckdb.DuckDBPyConnection, bases: dict[str, str], rule: Rule
) -> None:
    con.execute(f"SELECT {rule.met} FROM (SELECT {', '.join(rule.inputs)} FROM {bases[spec.table(rule)]})")


def test_one_address_rule_a_code() -> None:
    assert sorted(rule.code for rule in address_rules.RULES.values()) == sorted(ADDRESS_CODES)


def test_the_requester_learns_nothing_of_the_register() -> None:
    register = [rule for rule in RULES.values() if rule.phase is Phase.REGISTER]
    assert shown(rule.code for rule in register) == [NOT_CONFIRMED] and register


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    assert render.PAGE.read_text(encoding="utf-8") == render.page(), "run: python -m tests.spec.render"
