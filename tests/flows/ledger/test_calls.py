"""Others are asked to look at what waits: by whom that may be, once, and that nothing else comes of it."""

from __future__ import annotations

import json

import pytest

from expectations.base.errors import Fault, Usage
from flows.ledger import chain
from flows.ledger.calling import CallReason
from flows.ledger.ledger import Ledger
from flows.ledger.roles import NotYourRole, Role
from tests.factories.ledgers import Office, receive, sha

IT = sha("what waits")


def test_each_asks_once_and_it_is_an_event(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    ledger.call(IT, "ada", CallReason.LAW_UNCLEAR, "batch-1")
    ledger.call(IT, "ben", CallReason.SECOND_NEEDED, "batch-1")
    for reason in CallReason:
        with pytest.raises(Usage, match="CALLED_ALREADY"):
            ledger.call(IT, "ada", reason, "batch-1")
    ledger.call(sha("as it waits later"), "ada", CallReason.LAW_UNCLEAR)
    found = [(one.operator, one.reason) for one in ledger.calls()[IT]]
    assert found == [("ada", CallReason.LAW_UNCLEAR), ("ben", CallReason.SECOND_NEEDED)]
    assert [e["kind"] for e in ledger.events("batch-1")] == ["received", "called", "called"]
    assert ledger.verify() == []


def test_it_changes_nothing_that_is_signed_over_or_run_for(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    before = ledger.clock_message(ledger.clock.now().date()), ledger.last_event("batch-1")
    shown = ledger.newest_change()
    ledger.call(IT, "ada", CallReason.DEADLINE_NEAR, "batch-1")
    assert (ledger.clock_message(ledger.clock.now().date()), ledger.last_event("batch-1")) == before
    assert ledger.newest_change() > shown


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_who_only_looks_does_not_ask(ledger: Ledger, office: Office, role: Role) -> None:
    office.give("cleo", role, by=("ada", "ben"))
    with pytest.raises(NotYourRole):
        ledger.call(IT, "cleo", CallReason.NOT_MY_ROLE)
    assert not ledger.calls() and ledger.verify() == []


@pytest.mark.parametrize("by", ["nobody", "zoe"])
def test_an_event_that_somebody_put_into_the_chain_is_found(ledger: Ledger, office: Office, by: str) -> None:
    office.keys["zoe"] = office.new_key()
    line = office.line("zoe")
    signed = office.signed(ledger.operator_message("zoe", line, [Role.VIEWER]), ("ada", "ben"), "sluicegate-operator")
    ledger.enrol_operator("zoe", line, signed, [Role.VIEWER])
    said = json.dumps({"by": by, "reason": "law_unclear", "thing": IT}, separators=(",", ":"))
    with ledger.transaction() as session:
        chain.append(session, ledger.now(), None, "called", said)
    assert f"{by} might not do this then" in {problem.what for problem in ledger.verify()}


def test_what_is_no_digest_never_gets_in(ledger: Ledger, office: Office) -> None:
    with pytest.raises(Fault, match="UNSAFE_DIGEST"):
        ledger.call("Zebulon", "ada", CallReason.LAW_UNCLEAR)
