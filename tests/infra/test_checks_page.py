"""The page on when checks fail wrongly: a row for each check of the four suites, and what may really be decided."""

from __future__ import annotations

import re

import pytest

from expectations.gx.checks import row_count
from expectations.rules.rule import REFUSES
from expectations.suites import disclosure, eligibility, intake, made, matching, selftest
from flows.ledger.decisions import Decision, allowed
from flows.ledger.lifecycles.states import Checkpoint
from tests.factories.paths import ROOT

SUITES = (intake, matching, eligibility, disclosure)
PAGE = (ROOT / "infra" / "docs" / "checks.md").read_text()
MAY_REJECT_ONLY = {"authority.no_order_to_hold"}  # authority: another submission once the order has ended


def rows(section: str) -> dict[str, str]:
    """What may be decided, by check id."""
    body = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    found: dict[str, str] = {}
    for line in body.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4:
            for id in re.findall(r"`([^`]+)`", cells[0]):
                assert id not in found, id
                assert all(cells), id
                found[id] = cells[3]
    return found


@pytest.mark.parametrize("module", SUITES, ids=lambda module: module.NAME)
def test_each_check_has_its_row_and_says_what_may_be_decided(module: object) -> None:
    suite = selftest.declared(module)  # type: ignore[arg-type]
    checks = [row_count(f"{suite.name}.rows", suite.main, 1), *suite.checks]
    if module is disclosure:
        checks += [c for c in disclosure.suite(made.FIELDS, sealed=False).checks if c not in suite.checks]
    said = rows(suite.name)
    assert set(said) == {check.id for check in checks}
    for check in checks:
        may = allowed(Checkpoint(suite.name), [check.code])
        decided = "refused" if REFUSES[check.disposition] else ", ".join(d for d in Decision if d in may)
        decided = "nothing: it informs" if check.informs else decided
        assert said[check.id] == decided, check.id


def test_no_hold_has_no_way_out_but_rejecting() -> None:
    """A refusal is no hold: another submission follows it."""
    only = {
        check.id
        for module in SUITES
        for check in selftest.declared(module).checks
        if not REFUSES[check.disposition] and allowed(Checkpoint(module.NAME), [check.code]) == {Decision.REJECT}
    }
    assert only == MAY_REJECT_ONLY
