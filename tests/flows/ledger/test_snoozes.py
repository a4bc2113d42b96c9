"""What waits is set aside for a while: by whom that may be, for how long, and that a replay gives the same."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import Fault, Usage
from flows.ledger import chain
from flows.ledger.database.models import to_us
from flows.ledger.entrance import seen
from flows.ledger.ledger import Ledger
from flows.ledger.roles import NotYourRole, Role
from flows.ledger.snoozing import MOST, SnoozeReason
from tests.factories.ledgers import Office, receive, sha

IT, WHY = sha("what waits"), SnoozeReason.CAUSE_SOUGHT


def test_it_is_set_aside_until_then_in_the_place_of_an_earlier_time(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    now = ledger.clock.now()
    ledger.snooze(IT, "ada", WHY, now + timedelta(hours=1), "batch-1")
    ledger.snooze(IT, "ben", SnoozeReason.PLANNED, now + timedelta(hours=2))
    (one,) = ledger.snoozes(now + timedelta(hours=1, minutes=59)).values()
    assert (one.thing, one.operator, one.reason, one.until) == (IT, "ben", "planned", now + timedelta(hours=2))
    assert ledger.snoozes(now + timedelta(hours=2)) == {}
    assert [e["kind"] for e in ledger.events("batch-1")] == ["received", "snoozed"]
    assert ledger.verify() == []


def test_what_was_set_aside_long_ago_goes_from_the_table(ledger: Ledger, office: Office) -> None:
    now = ledger.clock.now()
    ledger.snooze(IT, "ada", WHY, now + timedelta(hours=1))
    ledger.clock = Clock(now + timedelta(hours=3))
    ledger.snooze(sha("another"), "ada", WHY, now + timedelta(hours=4))
    assert list(ledger.snoozes(now)) == [sha("another")] and ledger.verify() == []


def test_it_is_taken_back_once(ledger: Ledger, office: Office) -> None:
    ledger.snooze(IT, "ada", WHY, ledger.clock.now() + timedelta(hours=1))
    ledger.unsnooze(IT, "ben")
    assert ledger.snoozes(ledger.clock.now()) == {}
    with pytest.raises(Usage, match="NOT_SNOOZED"):
        ledger.unsnooze(IT, "ada")
    assert ledger.verify() == []


@pytest.mark.parametrize("by", [timedelta(), timedelta(seconds=-1), MOST + timedelta(minutes=1)])
def test_never_for_longer_nor_until_the_past(ledger: Ledger, office: Office, by: timedelta) -> None:
    before = ledger.head()
    with pytest.raises(Usage, match="SNOOZE_TOO_LONG"):
        ledger.snooze(IT, "ada", WHY, ledger.clock.now() + by)
    assert ledger.head() == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.INSTRUMENT_KEEPER])
def test_who_only_looks_sets_nothing_aside_and_takes_nothing_back(ledger: Ledger, office: Office, role: Role) -> None:
    until = ledger.clock.now() + timedelta(hours=1)
    ledger.snooze(IT, "ada", WHY, until)
    office.give("cleo", role, by=("ada", "ben"))
    for tried in (lambda: ledger.snooze(sha("x"), "cleo", WHY, until), lambda: ledger.unsnooze(IT, "cleo")):
        with pytest.raises(NotYourRole):
            tried()
    assert list(ledger.snoozes(ledger.clock.now())) == [IT] and ledger.verify() == []


@pytest.mark.parametrize(
    ("kind", "said", "why"),
    [
        ("snoozed", {"by": "nobody"}, "nobody might not do this then"),
        ("snoozed", {"by": "zoe"}, "zoe might not do this then"),
        ("snoozed", {"by": "ada", "until": MOST + timedelta(hours=1)}, "it is set aside for longer than that may be"),
        ("snoozed", {"by": "ada", "until": -timedelta(hours=1)}, "it is set aside for longer than that may be"),
        ("unsnoozed", {"by": "ada"}, "it was not set aside"),
    ],
)
def test_an_event_that_somebody_put_into_the_chain_is_found(
    ledger: Ledger, office: Office, kind: str, said: dict[str, object], why: str
) -> None:
    """By hand, with a chain that fits: the replay asks what the ledger asks."""
    office.keys["zoe"] = office.new_key()
    line = office.line("zoe")
    by = office.signed(ledger.operator_message("zoe", line, [Role.VIEWER]), ("ada", "ben"), "sluicegate-operator")
    ledger.enrol_operator("zoe", line, by, [Role.VIEWER])
    now = ledger.clock.now()
    facts = {"thing": IT, **said}
    if kind == "snoozed":
        by_then = said.get("until", timedelta(hours=1))
        assert isinstance(by_then, timedelta)
        facts |= {"reason": "planned", "until": to_us(now + by_then)}
    with ledger.transaction() as session:
        chain.append(session, ledger.now(), None, kind, json.dumps(facts, sort_keys=True, separators=(",", ":")))
    assert why in {problem.what for problem in ledger.verify()}


def test_what_is_no_digest_never_gets_in(ledger: Ledger, office: Office) -> None:
    with pytest.raises(Fault, match="UNSAFE_DIGEST"):
        ledger.snooze("Zebulon", "ada", WHY, ledger.clock.now() + timedelta(hours=1))


def test_it_changes_nothing_that_is_signed_over_or_run_for(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    before = ledger.clock_message(ledger.clock.now().date()), ledger.last_event("batch-1")
    ledger.snooze(IT, "ada", WHY, ledger.clock.now() + timedelta(hours=1), "batch-1")
    assert (ledger.clock_message(ledger.clock.now().date()), ledger.last_event("batch-1")) == before


def test_the_first_page_is_worked_out_again(ledger: Ledger, office: Office) -> None:
    before = ledger.newest_change()
    ledger.snooze(IT, "ada", WHY, ledger.clock.now() + timedelta(hours=1))
    then = ledger.newest_change()
    ledger.unsnooze(IT, "ada")
    assert before < then < ledger.newest_change()


def test_the_mark_of_what_was_seen_is_of_each_and_never_goes_back_nor_ahead(owner: Ledger) -> None:
    now = owner.clock.machine()
    assert seen.until(owner, "ada") is None
    seen.mark(owner, "ada", now - timedelta(hours=1))
    seen.mark(owner, "ada", now - timedelta(hours=2))
    assert (seen.until(owner, "ada"), seen.until(owner, "ben")) == (now - timedelta(hours=1), None)
    seen.mark(owner, "ada", now + timedelta(days=900))
    until = seen.until(owner, "ada")
    assert until is not None and now <= until <= owner.clock.machine()
    assert owner.verify() == []
