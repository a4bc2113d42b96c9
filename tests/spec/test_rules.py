"""Every rule of the book meets its spec: the cases of tests/spec/rules, its poison, and the row of which nothing is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from expectations import address, duck, standard
from expectations.codes import ADDRESS_CODES, NOT_CONFIRMED, shown
from expectations.rules import address as address_rules
from expectations.rules import book
from expectations.rules.rule import Phase, Rule, failing_codes
from tests.spec import book as spec
from tests.spec import render

RULES = {rule.id: rule for rule in book.every_rule()}
CASES = spec.cases()
Judged = list[tuple[set[str], list[str]]]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        standard.setup(connection)
        address.setup(connection)
        yield connection


def judged(con: duckdb.DuckDBPyConnection, changes: list[Any], which: str) -> Judged:
    """For each row of changes on the base of a table: the rules that it does not meet, and its codes."""
    rules = [rule for rule in RULES.values() if spec.table(rule) == which]
    met = ", ".join(f"CASE WHEN {rule.met} THEN NULL ELSE '{rule.id}' END" for rule in rules)
    query = f"SELECT [{met}], {failing_codes(rules)} FROM {spec.relations(con, changes, which)} ORDER BY n"
    return [({name for name in failed if name}, codes) for failed, codes in con.execute(query).fetchall()]


@pytest.mark.parametrize("which", spec.TABLES)
def test_each_case_meets_or_violates_its_rule_and_gets_these_codes(con: duckdb.DuckDBPyConnection, which: str) -> None:
    cases = [case for case in CASES if spec.table(RULES[case.rule]) == which]
    found = judged(con, [case.changes for case in cases], which)
    wrong = [
        (case, codes)
        for case, (failed, codes) in zip(cases, found, strict=True)
        if (case.rule not in failed, tuple(codes)) != (case.meets, case.codes)
    ]
    assert wrong == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_has_a_case_that_meets_it_and_one_that_violates_it(rule: Rule) -> None:
    assert {case.meets for case in CASES if case.rule == rule.id} == {True, False}


@pytest.mark.parametrize("which", spec.TABLES)
def test_the_base_meets_every_rule(con: duckdb.DuckDBPyConnection, which: str) -> None:
    assert judged(con, [{}], which) == [(set(), [])]


@pytest.mark.parametrize("which", spec.TABLES)
def test_the_poison_of_each_rule_violates_it_and_gives_its_code_alone(
    con: duckdb.DuckDBPyConnection, which: str
) -> None:
    rules = [rule for rule in RULES.values() if spec.table(rule) == which]
    found = judged(con, [rule.poison for rule in rules], which)
    wrong = [
        (rule.id, failed)
        for rule, (failed, codes) in zip(rules, found, strict=True)
        if rule.id not in failed or codes != [rule.code]  # two shares may have one code
    ]
    assert wrong == []


@pytest.mark.parametrize("which", spec.TABLES)
def test_where_nothing_is_known_no_rule_is_met(con: duckdb.DuckDBPyConnection, which: str) -> None:
    name = spec.relations(con, [{}], which)
    for rule in RULES.values():
        if spec.table(rule) == which:
            nothing = ", ".join(f"NULL AS {column}" for column in rule.inputs)
            row = f"SELECT * REPLACE ({nothing}) FROM {name}"
            typed = f"SELECT * FROM {name} WHERE false UNION ALL {row}"
            assert con.execute(f"SELECT {rule.met} FROM ({typed})").fetchall() == [(False,)], rule.id


def test_a_predicate_reads_its_inputs_and_nothing_else(con: duckdb.DuckDBPyConnection) -> None:
    for which in spec.TABLES:
        name = spec.relations(con, [{}], which)
        for rule in RULES.values():
            if spec.table(rule) == which:
                con.execute(f"SELECT {rule.met} FROM (SELECT {', '.join(rule.inputs)} FROM {name})")


def test_one_address_rule_a_code() -> None:
    assert sorted(rule.code for rule in address_rules.RULES.values()) == sorted(ADDRESS_CODES)


def test_the_requester_learns_nothing_of_the_register() -> None:
    register = [rule for rule in RULES.values() if rule.phase is Phase.REGISTER]
    assert shown(rule.code for rule in register) == [NOT_CONFIRMED] and register


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    assert render.PAGE.read_text(encoding="utf-8") == render.page(), "run: python -m tests.spec.render"
