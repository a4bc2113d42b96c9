"""Looks at values: recorded with their reason before anything is shown, and so many in an hour. On both databases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import BadInput, Usage
from flows.ledger.facts import LOOKS, View
from flows.ledger.ledger import Ledger
from flows.ledger.looks import LookReason, Why
from flows.ledger.roles import NotYourRole, Role
from tests.factories.ledgers import Office, receive, sha

WHY = Why(LookReason.COMPLAINT, "CMP-2026-17")


@pytest.mark.parametrize("what", [what for what in View if LOOKS[what]])
def test_no_value_is_seen_without_a_reason(ledger: Ledger, office: Office, what: View) -> None:
    receive(ledger)
    before = ledger.head()
    with pytest.raises(Usage, match="WHY_LOOK"):
        ledger.audit("batch-1", 3, what, "ada")
    assert ledger.head() == before
    ledger.audit("batch-1", 3, what, "ada", WHY)
    said = {"ordinal": 3, "what": what.value, "who": "ada", "reason": "complaint", "reference": "CMP-2026-17"}
    assert ledger.events("batch-1")[-1]["facts"] == said
    assert ledger.verify() == []


@pytest.mark.parametrize(
    "reference",
    [
        "QUXZAZ-2026-1",
        "Smith",
        "612-83-4907",
        "612834907",
        "dsr-2026-1",
        "DSR-1970-01-01",
        "DSR-26-1",
        "DSR 2026 1",
        "DSR-2026-1\n",
        "DSR-2026-\u0663",
        "x" * 5000,
    ],
)
def test_what_may_be_a_value_is_no_reference_and_is_not_repeated(reference: str) -> None:
    with pytest.raises(BadInput, match="REFERENCE_FORM") as error:
        Why.of(LookReason.COMPLAINT, reference)
    assert reference not in str(error.value)


def test_who_has_looked_so_often_waits_and_it_is_recorded(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    for what in (View.VALUES, View.REGISTER):
        ledger.audit("batch-1", 3, what, "ada", WHY, most=2)
    for tried in (
        lambda: ledger.audit("batch-1", 4, View.VALUES, "ada", WHY, most=2),
        lambda: ledger.audit_person(sha("person"), "ada", WHY, most=2),
    ):
        with pytest.raises(Usage, match=r"TOO_MANY_VIEWS.*2 times"):
            tried()
    refused = [json.loads(one.facts) for one in ledger.links() if one.kind == "view_refused"]
    assert refused == [{"what": "values", "who": "ada"}, {"what": "person", "who": "ada"}]
    # another operator, a look that shows no person, and the next hour
    ledger.audit("batch-1", 4, View.VALUES, "ben", WHY, most=2)
    ledger.audit("batch-1", None, View.ACCOUNTING, "ada", WHY, most=2)
    ledger.audit("batch-1", None, View.EVIDENCE, "ada", most=2)
    ledger.clock = Clock(ledger.clock.now() + timedelta(minutes=61))
    ledger.audit("batch-1", 4, View.VALUES, "ada", WHY, most=2)
    assert ledger.verify() == []


def test_what_the_register_has_takes_both_rights(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    office.give("cleo", Role.OPERATOR, by=("ada", "ben"))
    ledger.audit("batch-1", 3, View.VALUES, "cleo", WHY)
    with pytest.raises(NotYourRole, match="view_register"):
        ledger.audit("batch-1", 3, View.REGISTER, "cleo", WHY)
    assert set(LOOKS[View.REGISTER]) > set(LOOKS[View.VALUES])


def test_looks_are_listed_the_newest_first_and_counted(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    began = ledger.clock.now()
    assert ledger.views(10) == [] and ledger.viewed_since(began) == (0, 0)
    ledger.audit("batch-1", 3, View.VALUES, "ada", WHY)
    ledger.audit("batch-1", None, View.EVIDENCE, "somebody")
    ledger.audit_person(sha("person"), "ben", Why(LookReason.PERSON_ASKS))
    with pytest.raises(Usage):
        ledger.audit("batch-1", 5, View.VALUES, "ada", WHY, most=1)
    found = ledger.views(10)
    assert [(one.who, one.batch, one.ordinal, one.what, one.reason, one.reference, one.shown) for one in found] == [
        ("ada", "batch-1", None, "values", None, None, False),
        ("ben", None, None, "person", "person_asks", None, True),
        ("somebody", "batch-1", None, "evidence", None, None, True),
        ("ada", "batch-1", 3, "values", "complaint", "CMP-2026-17", True),
    ]
    assert ledger.views(2) == found[:2] and ledger.views(2, found[1].seq) == found[2:]
    assert ledger.viewed_since(began) == (2, 2)  # what shows counts only, and what was refused, is no look at values
    ledger.clock = Clock(ledger.clock.now() + timedelta(hours=1))
    assert ledger.viewed_since(ledger.clock.now()) == (0, 0)
