"""The machine of a recall case: total, without dead ends, and shown as it is; its deadlines, by the injected clock."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from expectations.base.errors import Usage
from expectations.instruments import Agreement, RecallTerms
from flows.cases import deadlines
from flows.ledger.case_records import CaseRecord, StepRecord
from flows.ledger.lifecycles import cases
from flows.ledger.lifecycles.cases import CASE, DEADLINES, KEYS_NEEDED, NOTIFIABLE, STEPS, CaseReason, CaseState, Proof

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_every_proof_in_every_state_is_either_a_step_or_refused() -> None:
    for state, proof in itertools.product(CaseState, Proof):
        allowed = (state, proof) in STEPS
        with nullcontext() if allowed else pytest.raises(Usage, match="NO_SUCH_STEP"):
            assert cases.after(state, proof) is STEPS[state, proof]


def test_every_state_is_reached_and_leads_to_closed_and_nothing_leads_out_of_it() -> None:
    for begin, edges in (
        (CaseState.FOUND, {(a, b) for (a, _), b in STEPS.items()}),
        (CaseState.CLOSED, {(b, a) for (a, _), b in STEPS.items()}),
    ):
        found = {begin}
        while more := {b for a, b in edges if a in found} - found:
            found |= more
        assert found == set(CaseState)
    assert CASE.final == {CaseState.CLOSED}
    for state, proof, end in itertools.product(CaseState, Proof, CaseState):
        assert CASE.allows(state, proof, end) is (STEPS.get((state, proof)) is end)


def test_no_way_leads_past_the_freeze_the_copies_or_the_attestation() -> None:
    for state in (CaseState.FROZEN, CaseState.ENUMERATED, CaseState.ATTESTED):
        found = {CaseState.FOUND}
        while more := {b for (a, _), b in STEPS.items() if a in found and b is not state} - found:
            found |= more
        assert CaseState.CLOSED not in found, state


def test_two_keys_close_a_case_and_every_proof_says_how_many_it_needs() -> None:
    assert set(KEYS_NEEDED) == set(Proof)
    assert [p for p, keys in KEYS_NEEDED.items() if keys == 2] == [Proof.REVIEW]
    assert {b for (_, p), b in STEPS.items() if p is Proof.REVIEW} == {CaseState.CLOSED}


def case(*states: tuple[CaseState, Proof | None, int], discovered: int = 0) -> CaseRecord:
    """A case that came to these states at these hours after noon."""
    steps = tuple(
        StepRecord(n, NOON + timedelta(hours=hours), state, proof, None, {}, {})
        for n, (state, proof, hours) in enumerate(states, 1)
    )
    return CaseRecord(
        "c-1",
        "agency",
        "mou",
        CaseReason.LOOKBACK,
        NOON + timedelta(hours=discovered),
        {"b": 1},
        {},
        "0" * 64,
        states[-1][0],
        len(steps),
        steps,
    )


FOUND = (CaseState.FOUND, None, 5)
FROZEN = (CaseState.FROZEN, Proof.LIST, 5)
TOLD = (CaseState.NOTIFIED, Proof.NOTICE, 30)
NOTED = (CaseState.NOTIFIED, Proof.PERSONS, 31)
LISTED = (CaseState.ENUMERATED, Proof.COPIES, 48)
DONE = (CaseState.DISPOSED, Proof.LOG, 72)


def statuses(record: CaseRecord, agreement: Agreement, hours: int, keeps: tuple[str, ...] = ()) -> dict[str, str]:
    now = NOON + timedelta(hours=hours)
    return {d.name: d.status(now) for d in deadlines.due(record, agreement, keeps)}


def test_the_incident_report_is_due_a_day_after_discovery_not_after_opening(sandbox: Agreement) -> None:
    found = case(FOUND, FROZEN)
    assert [statuses(found, sandbox, h)["incident_report"] for h in (23, 24, 25)] == ["open", "open", "passed"]
    assert statuses(case(FOUND, FROZEN, TOLD), sandbox, 31)["incident_report"] == "late"
    assert statuses(found, sandbox, 6)["copies"] == "later"


@pytest.mark.parametrize(("warned", "hours"), [(False, 11), (True, 12), (True, 30)])
def test_people_are_warned_before_a_deadline_and_once_it_has_passed(
    sandbox: Agreement, warned: bool, hours: int
) -> None:
    (due,) = [d for d in deadlines.due(case(FOUND, FROZEN), sandbox, ()) if d.name == "incident_report"]
    assert due.alarms(NOON + timedelta(hours=hours), 12) is warned


def test_what_is_met_waits_or_lies_ahead_gives_no_alarm(sandbox: Agreement) -> None:
    late = NOON + timedelta(days=400)
    noted = case(FOUND, FROZEN, TOLD, NOTED, LISTED)
    for due in deadlines.due(noted, sandbox, ("order-1",)):
        assert not due.alarms(late, 12), due.name
    alarms = [d.name for d in deadlines.due(noted, sandbox, ()) if d.alarms(late, 12)]
    assert alarms == ["disposal"]


def test_notice_to_the_persons_is_due_from_the_discovery_on_and_met_by_its_record(sandbox: Agreement) -> None:
    last = 24 * sandbox.recall.persons_days
    open_case = case(FOUND, FROZEN, TOLD, LISTED, DONE)
    assert [statuses(open_case, sandbox, h)["persons"] for h in (last, last + 1)] == ["open", "passed"]
    assert statuses(case(FOUND, FROZEN, TOLD, NOTED), sandbox, last)["persons"] == "met"
    again = case(FOUND, FROZEN, TOLD, NOTED, LISTED, DONE, LISTED)  # a copy came to light: the record stays
    assert statuses(again, sandbox, last + 1)["persons"] == "met"
    assert {s for s, p in STEPS if p is Proof.PERSONS} == set(NOTIFIABLE)


def test_terms_come_from_the_agreement(sandbox: Agreement) -> None:
    terms = sandbox.model_copy(update={"recall": RecallTerms(copies_days=1, disposal_days=2)})
    at = {d.name: d.at for d in deadlines.due(case(FOUND, FROZEN, TOLD, LISTED), terms, ())}
    assert at["copies"] == NOON + timedelta(hours=30 + 24) and at["disposal"] == NOON + timedelta(hours=48 + 48)
    assert {d.term for d in DEADLINES if d.term} == set(RecallTerms.model_fields)


def test_listing_copies_again_gains_no_time_and_leads_back_from_disposed(sandbox: Agreement) -> None:
    again = (CaseState.ENUMERATED, Proof.COPIES, 200)
    for steps in ((FOUND, FROZEN, TOLD, LISTED, again), (FOUND, FROZEN, TOLD, LISTED, DONE, again)):
        found = {d.name: d for d in deadlines.due(case(*steps), sandbox, ())}
        assert found["disposal"].at == NOON + timedelta(hours=48, days=sandbox.recall.disposal_days)
        assert found["disposal"].met is None and found["attestation"].at is None
