"""The spec of each rule is sharp: every mutant of its predicate gives another verdict on some case, or is listed as no
other."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from functools import cache

import duckdb
import pytest

from expectations import address
from expectations.base import duck
from expectations.names import standard
from expectations.rules import book
from expectations.rules.rule import Rule
from tests.spec import book as spec
from tests.spec.mutants import mutants, parsed, patterns

RULES = {rule.id: rule for rule in book.every_rule()}
CASES = spec.cases()
KEPT = ExitStack()
NOTHING = -1  # number of the row of which nothing is known: it violates every rule

# Mutants that say the same as the rule: what stands in their SQL, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "authority.period": {"[(0):4]": "characters count from 1, so that nothing stands at 0"},
}


@cache
def tables() -> duckdb.DuckDBPyConnection:
    """All cases, made once: `request_cases`, `register_cases`, `batch_cases`, each with the all-null row."""
    connection = KEPT.enter_context(duck.session(duck.DuckSettings(threads=1)))
    standard.setup(connection)
    address.setup(connection)
    for which in spec.TABLES:
        name = spec.relations(connection, [case.changes for case in of_table(which)], which)
        connection.execute(f"INSERT INTO {name} BY NAME SELECT {NOTHING} AS n")
    return connection


def of_table(which: str) -> list[spec.Case]:
    return [case for case in CASES if spec.table(RULES[case.rule]) == which]


def verdicts(rule: Rule, predicates: list[str]) -> list[tuple[bool, ...] | None]:
    """What each predicate says of the rule's cases and of the all-null row; None where it is no predicate at all."""
    which = spec.table(rule)
    own = [n for n, case in enumerate(of_table(which)) if case.rule == rule.id]
    rows = f"{which}_cases WHERE n IN ({', '.join(map(str, [NOTHING, *own]))}) ORDER BY n"
    met = ", ".join(replace(rule, predicate=one).met for one in predicates)
    try:
        return list(zip(*tables().execute(f"SELECT {met} FROM {rows}").fetchall(), strict=True))
    except duckdb.Error:
        return [None] if len(predicates) == 1 else [verdicts(rule, [one])[0] for one in predicates]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_mutant_of_a_rule_is_caught(rule: Rule) -> None:
    expected = (False, *(case.meets for case in CASES if case.rule == rule.id))
    assert verdicts(rule, [parsed(rule.predicate).sql("duckdb")]) == [expected]  # as it is, it meets its spec
    made = mutants(rule.predicate)
    found = verdicts(rule, made)
    assert sum(one is not None for one in found) > 0
    survivors = [one for one, verdict in zip(made, found, strict=True) if verdict == expected]
    known = EQUIVALENT.get(rule.id, {})
    assert [one for one in survivors if not any(part in one for part in known)] == []
    assert len(survivors) == len(known)  # each reason is for one mutant, and still needed


# predicate → its mutants, without the brackets around what was changed
KINDS = {
    "a AND b": {"a", "b", "a OR b", "NOT a AND b", "a AND NOT b"},
    "NOT a": {"a"},
    "x < 3": {"x <= 3", "x >= 3", "x < 2", "x < 4"},
    "x >= y": {"x > y", "x < y"},
    "x = 'a'": {"x <> 'a'"},
    "x IN ('a', 'b')": {"NOT x IN 'a', 'b'", "x IN 'a'", "x IN 'b'"},
    "x IS NULL": {"NOT x IS NULL"},
    "x BETWEEN y AND z": {"NOT x BETWEEN y AND z", "x > y AND x <= z", "x >= y AND x < z", "x >= y", "x <= z"},
    "x > DATE '2024-02-28'": {
        "x >= CAST'2024-02-28' AS DATE",
        "x <= CAST'2024-02-28' AS DATE",
        "x > CAST'2024-02-27' AS DATE",
        "x > CAST'2024-02-29' AS DATE",
    },
    "x = y - z": {"x <> y - z", "x = y", "x = z", "x = y + z"},
    "coalesce(a, true)": {"NOT COALESCEa, TRUE", "a", "TRUE", "COALESCEa, FALSE"},
    "regexp_full_match(x, 'a|b')": {
        "NOT REGEXP_FULL_MATCHx, 'a|b'",
        "REGEXP_FULL_MATCHx, 'a'",
        "REGEXP_FULL_MATCHx, 'b'",
    },
}


@pytest.mark.parametrize("predicate", KINDS)
def test_mutants_of_each_kind(predicate: str) -> None:
    assert {re.sub("[()]", "", one) for one in mutants(predicate)} == KINDS[predicate]


def test_mutants_of_a_regular_expression() -> None:
    assert set(patterns("(ab|c)?[0-9]{2}")) == {
        "(ab|c)?[0-9]{1}",
        "(ab|c)?[0-9]{3}",
        "(ab|c)[0-9]{2}",
        "(c)?[0-9]{2}",
        "(ab)?[0-9]{2}",
        "(ab|c)?[1-9]{2}",
        "(ab|c)?[0-8]{2}",
    }


def test_no_reason_is_given_for_what_is_no_rule() -> None:
    assert set(EQUIVALENT) <= set(RULES) and all(why for known in EQUIVALENT.values() for why in known.values())
