"""The self-test fails as soon as any one rule has stopped looking."""

from __future__ import annotations

import random
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from types import ModuleType

import pytest

from expectations.gx import checkpoint, checks
from expectations.rules import address, authority, disclosure, elements, identity, limits
from expectations.rules.book import request_rules
from expectations.rules.rule import Rule
from expectations.rules.statutes import STATUTES
from expectations.suites import eligibility, intake, matching, selftest
from tests import SOAK

BOOKS: tuple[MutableMapping[str, Rule], ...] = (
    identity.RULES,
    address.RULES,
    elements.RULES,
    authority.RULES,
    limits.RULES,
    disclosure.RULES,
    *(one.rules for one in STATUTES.values()),
)


def _neutralise(monkeypatch: pytest.MonkeyPatch, book: MutableMapping[str, Rule], name: str) -> None:
    monkeypatch.setitem(book, name, replace(book[name], predicate="TRUE"))


def _freed(check: checks.Check) -> checks.Check:
    return replace(check, arguments={**check.arguments, "predicate": "TRUE"})


def _failed(suites: tuple[object, ...]) -> Iterator[str]:
    return (p.rule for p in selftest.selftest(suites) if not p.can_fail)  # type: ignore[arg-type]


@pytest.mark.slow
def test_every_check_of_every_suite_fails_on_its_poison() -> None:
    proofs = selftest.selftest()
    assert [p for p in proofs if not p.can_fail] == []
    proven = {(p.suite, p.rule) for p in proofs}
    rules = {rule for book in BOOKS for rule in book}
    assert rules <= {rule for _, rule in proven}
    assert {("eligibility", rule.id) for rule in request_rules()} <= proven
    assert len(proven) == len(proofs) > 100


@pytest.mark.slow
def test_every_neutralised_rule_is_named_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for book in BOOKS:
        for name in book:
            _neutralise(monkeypatch, book, name)
    rules = {rule for book in BOOKS for rule in book}
    # without its rules a suite also finds the clean batch's held decoys wrong, so that the clean batch may fail with
    # them
    assert set(_failed((intake, eligibility))) - {selftest.CLEAN} == rules


_SUITES: dict[str, ModuleType] = {module.NAME: module for module in selftest.SUITES}
_EVERY = [
    (name, check.id)
    for name, module in _SUITES.items()
    for check in selftest.declared(module).checks
    if check.kind == "rule"
]


# each of them judges the whole suite once more: a seeded share, and all with `make soak`
_SOME = _EVERY if SOAK else sorted(random.Random(2026).sample(_EVERY, 16))


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "which"), _SOME)
def test_each_neutralised_check_is_named_and_no_other(suite: str, which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a check is a rule of the rule book, the rule itself is neutralised; else the suite's own condition."""
    book = next((book for book in BOOKS if which in book), None)
    whole = selftest.declared(_SUITES[suite])
    if book is not None:
        _neutralise(monkeypatch, book, which)
    else:
        made = replace(whole, checks=tuple(_freed(c) if c.id == which else c for c in whole.checks))
        monkeypatch.setattr(selftest, "declared", lambda _: made)
    assert set(_failed((_SUITES[suite],))) - {selftest.CLEAN} == {which}


@pytest.mark.slow
def test_a_rule_that_fails_everything_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    book, name = disclosure.RULES, "disclosure.few_tries"
    monkeypatch.setitem(book, name, replace(book[name], predicate="FALSE"))
    assert {name, selftest.CLEAN} <= set(_failed((eligibility,)))


def test_a_neutralised_check_of_a_suite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = matching.suite

    def neutralised() -> checks.Suite:
        made = whole()
        return replace(made, checks=tuple(_freed(c) if c.id == "matching.none_lost" else c for c in made.checks))

    monkeypatch.setattr(matching, "suite", neutralised)
    assert list(_failed((matching,))) == ["matching.none_lost"]


def test_a_gx_that_finds_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = checkpoint.evaluate

    def blind(*given: object) -> tuple[list[checkpoint.Finding], list[dict[str, object]]]:
        found, kept = whole(*given)  # type: ignore[arg-type]
        return [f._replace(success=True, failed=0) for f in found], kept

    monkeypatch.setattr(checkpoint, "evaluate", blind)
    assert len(list(_failed((matching,)))) == len(matching.suite().checks) + 1
