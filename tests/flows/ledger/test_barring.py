"""An agreement that bars those who enrolled its instruments, or took a batch in, from deciding on its batches: whom it
bars, what they get, and that two who may decide must remain when it is enrolled."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from expectations.base.errors import BadInput, Usage
from flows.ledger.decisions import Decision
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.roles import Barred, Role
from tests.factories.full_ledger import agreement
from tests.factories.ledgers import ORDER, ROWS, Office, receive

INTAKE, DROP, REJECT = Checkpoint.INTAKE, Decision.DROP, Decision.REJECT
PEOPLE = ("ada", "ben", "cleo", "dora", "eve", "fay")
DECIDED_ON = date(2026, 3, 2)  # of every batch of these tests
OFF = agreement()
ON = OFF.replace(b"\n[holder]", b"bars_enrollers = true\n\n[holder]", 1)
TAKERS = OFF.replace(b"\n[holder]", b"bars_receivers = true\n\n[holder]", 1)
BOTH = ON.replace(b"\n[holder]", b"bars_receivers = true\n\n[holder]", 1)
AGAINST = ORDER.replace(b"scope = {}", b'scope = { agreements = ["mou"] }')
DETERMINATION = f"""
kind = "determination"
id = "informants"
title = "Determination"
source = "made up"
agreements = ["mou"]
determined_by = "D. Examiner"
determined_on = {DECIDED_ON}
""".encode()


@pytest.fixture
def office(ledger: Ledger) -> Office:
    return Office(ledger, *PEOPLE)


def held(ledger: Ledger, name: str = "batch-1", by: str | None = None) -> None:
    """A batch under what is enrolled, as it is received; then held."""
    under = {id: digest for id, digest, body in ledger.instruments() if b'"determination"' not in body}
    receive(ledger, name, instruments=under, by=by)
    ledger.hold(name, INTAKE, ROWS, ["TOO_MANY_INCOMPLETE"])


# What is enrolled before the batch comes, by whom; what is enrolled after it; and who may decide then.
Enrolments = list[tuple[bytes, str]]
WHOM: dict[str, tuple[Enrolments, Enrolments, str]] = {
    "the agreement": ([(ON, "ada ben")], [], "cleo dora eve fay"),
    "by other people": ([(ON, "eve fay")], [], "ada ben cleo dora"),
    "an order against it": ([(ON, "ada ben"), (AGAINST, "cleo ada")], [], "dora eve fay"),
    "an order against everything": ([(ON, "ada ben"), (ORDER, "cleo dora")], [], "eve fay"),
    "an order against another agreement": (
        [(ON, "ada ben"), (AGAINST.replace(b'"mou"', b'"other"'), "cleo dora")],
        [],
        "cleo dora eve fay",
    ),
    "an order of a later day": (
        [(ON, "ada ben"), (AGAINST.replace(b"2026-01-01", b"2026-03-03"), "cleo dora")],
        [],
        "cleo dora eve fay",
    ),
    "an order that was lifted": (
        [(ON, "ada ben"), (AGAINST.replace(b"scope", b"lifted_on = 2026-03-02\nscope"), "cleo dora")],
        [],
        "cleo dora eve fay",
    ),
    "an order enrolled since": ([(ON, "ada ben")], [(AGAINST, "cleo dora")], "cleo dora eve fay"),
    "a determination": ([(ON, "ada ben"), (DETERMINATION, "ada cleo")], [], "dora eve fay"),
    "a determination for another agreement": (
        [(ON, "ada ben"), (DETERMINATION.replace(b'"mou"', b'"other"'), "ada cleo")],
        [],
        "cleo dora eve fay",
    ),
    "a determination that is too old": (
        [(ON, "ada ben"), (DETERMINATION.replace(b"2026-03-02", b"2020-12-01"), "ada cleo")],
        [],
        "cleo dora eve fay",
    ),
    "a determination that was withdrawn": (
        [(ON, "ada ben"), (DETERMINATION + b"withdrawn_on = 2026-03-02\n", "ada cleo")],
        [],
        "cleo dora eve fay",
    ),
    "a new version since": ([(ON, "ada ben")], [(ON + b"\n", "cleo dora")], "eve fay"),
    "a new version since, that bars nobody": ([(ON, "ada ben")], [(OFF, "cleo dora")], "eve fay"),
    "a new version since, that bars first": ([(OFF, "ada ben")], [(ON, "cleo dora")], "eve fay"),
    "a version between": ([(OFF, "ada ben"), (OFF + b"\n", "cleo dora"), (ON, "ada ben")], [], "cleo dora eve fay"),
}


def enrol(office: Office, some: Enrolments) -> None:
    for body, by in some:
        office.enrol(body, *by.split())


@pytest.mark.parametrize("case", WHOM)
def test_whoever_enrolled_what_the_batch_rests_on_does_not_decide(ledger: Ledger, office: Office, case: str) -> None:
    before, after, may = WHOM[case]
    enrol(office, before)
    held(ledger)
    enrol(office, after)
    assert ledger.deciders("batch-1") == {DROP: tuple(may.split()), REJECT: tuple(may.split())}
    for name in sorted(set(PEOPLE) - set(may.split())):
        for decision in (DROP, REJECT):
            with pytest.raises(Barred, match=f"BARRED_BY_AGREEMENT.*{name}.*review show"):
                office.decide(name, "batch-1", INTAKE, decision)
    assert ledger.decisions("batch-1") == []
    first, second = may.split()[:2]
    assert office.decide(first, "batch-1", INTAKE, DROP) is State.HELD
    assert office.decide(second, "batch-1", INTAKE, DROP) is State.RECEIVED
    assert ledger.verify() == []


# The agreement when the batch comes, who takes it in by hand, the agreement afterwards, and who may decide then.
TAKEN: dict[str, tuple[bytes, str | None, bytes | None, str]] = {
    "by hand": (TAKERS, "cleo", None, "ada ben dora eve fay"),
    "by one who signed": (TAKERS, "ada", None, "ben cleo dora eve fay"),
    "by hand, and signers are barred too": (BOTH, "cleo", None, "dora eve fay"),
    "by hand, and a new version bars nobody": (TAKERS, "cleo", OFF, "ada ben dora eve fay"),
    "by hand, and a new version bars first": (OFF, "cleo", TAKERS, "ada ben dora eve fay"),
    "by hand, and only signers are barred": (ON, "cleo", None, "cleo dora eve fay"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_whoever_took_a_batch_in_does_not_decide_on_it(ledger: Ledger, office: Office, case: str) -> None:
    before, by, after, may = TAKEN[case]
    office.enrol(before)
    held(ledger, by=by)
    if after:
        office.enrol(after)
    assert ledger.known_batch("batch-1").received_by == by
    assert ledger.deciders("batch-1") == {DROP: tuple(may.split()), REJECT: tuple(may.split())}
    for name in sorted(set(PEOPLE) - set(may.split())):
        with pytest.raises(Barred, match=f"BARRED_BY_AGREEMENT.*{name}.*review show"):
            office.decide(name, "batch-1", INTAKE, REJECT)
    first, second = may.split()[:2]
    office.decide(first, "batch-1", INTAKE, DROP)
    assert office.decide(second, "batch-1", INTAKE, DROP) is State.RECEIVED
    assert ledger.verify() == []


@pytest.mark.parametrize(("agreement", "by"), [(TAKERS, None), (OFF, "cleo")], ids=["by itself", "none says so"])
def test_what_came_by_itself_or_without_such_an_agreement_bars_nobody(
    ledger: Ledger, office: Office, agreement: bytes, by: str | None
) -> None:
    office.enrol(agreement)
    held(ledger, by=by)
    assert ledger.deciders("batch-1") == {}
    for name in ("ada", "cleo"):
        office.decide(name, "batch-1", INTAKE, DROP)
    assert ledger.verify() == []


def test_who_took_one_batch_in_decides_on_others(ledger: Ledger, office: Office) -> None:
    office.enrol(TAKERS)
    held(ledger, "batch-1", by="cleo")
    held(ledger, "batch-2", by="dora")
    assert office.decide("cleo", "batch-2", INTAKE, REJECT) is State.REJECTED
    assert office.decide("dora", "batch-1", INTAKE, REJECT) is State.REJECTED


@pytest.mark.parametrize("by", ["nobody", "cleo"], ids=["unknown", "revoked"])
def test_only_an_operator_who_is_there_takes_a_batch_in(ledger: Ledger, office: Office, by: str) -> None:
    office.revoke("cleo")
    with pytest.raises(Usage, match="UNKNOWN_OPERATOR"):
        receive(ledger, by=by)
    assert ledger.batches() == []


def test_a_batch_taken_in_by_one_who_might_not_is_found_by_verification(
    ledger: Ledger, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.give("cleo", Role.AUDITOR)
    monkeypatch.setattr("flows.ledger.batches.require", lambda *_: None)
    monkeypatch.setattr("flows.ledger.events.moves.may", lambda *_: True)
    receive(ledger, by="cleo")
    monkeypatch.undo()
    (problem,) = ledger.verify()
    assert "cleo might not take a submission in then" in str(problem)


def test_it_is_off_unless_an_agreement_says_so(ledger: Ledger, office: Office) -> None:
    office.enrol(OFF)
    held(ledger)
    assert ledger.deciders("batch-1") == {}
    for name in ("ada", "ben"):
        office.decide(name, "batch-1", INTAKE, DROP)
    assert ledger.verify() == []


def test_who_is_barred_and_tries_is_recorded_and_may_still_stop_everything(ledger: Ledger, office: Office) -> None:
    office.enrol(ON)
    held(ledger)
    with pytest.raises(Barred):
        office.decide("ada", "batch-1", INTAKE, DROP)
    denied = [json.loads(one.facts) for one in ledger.links() if one.kind == "denied"]
    assert denied == [{"by": "ada", "act": "drop"}]
    assert ledger.halt("ada", "suspected_fault")


def test_a_signature_of_nobody_says_nothing_of_who_is_barred(ledger: Ledger, office: Office) -> None:
    office.enrol(ON)
    held(ledger)
    office.keys["ada"] = office.new_key()
    with pytest.raises(BadInput, match="KEY_NOT_ENROLLED"):
        office.decide("ada", "batch-1", INTAKE, DROP)


def test_who_may_decide_is_who_is_there_and_has_the_role(ledger: Ledger, office: Office) -> None:
    office.enrol(ON)
    held(ledger)
    office.revoke("cleo", "ada", "ben")
    office.give("dora", Role.OPERATOR, by=("ada", "ben"))
    assert ledger.deciders("batch-1") == {DROP: ("eve", "fay"), REJECT: ("dora", "eve", "fay")}
    for name in ("eve", "fay"):
        office.give(name, Role.VIEWER, by=("ada", "ben"))
    assert ledger.deciders("batch-1") == {DROP: (), REJECT: ("dora",)}


def test_a_decision_of_one_who_is_barred_is_found_by_verification(
    ledger: Ledger, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.enrol(ON)
    held(ledger)
    for module in ("review", "events.review"):
        monkeypatch.setattr(f"flows.ledger.{module}.barred", lambda *_: frozenset())
    office.decide("ada", "batch-1", INTAKE, DROP)
    monkeypatch.undo()
    (problem,) = ledger.verify()
    assert "the agreement bars ada from deciding" in str(problem)


# The agreement, who of six is an approver, what is enrolled before, who signs the agreement, and whether two are left.
ROOM: dict[str, tuple[bytes, str, Enrolments, str, bool]] = {
    "two others": (ON, "ada ben cleo dora", [], "ada ben", True),
    "one other": (ON, "ada ben cleo", [], "ada ben", False),
    "nobody else": (ON, "ada ben", [], "ada ben", False),
    "others who signed an order": (ON, "ada ben cleo dora", [(AGAINST, "cleo dora")], "ada ben", False),
    "others who signed a determination": (ON, "ada ben cleo dora", [(DETERMINATION, "cleo dora")], "ada ben", False),
    "others who signed what is for others": (
        ON,
        "ada ben cleo dora",
        [(AGAINST.replace(b'"mou"', b'"other"'), "cleo dora")],
        "ada ben",
        True,
    ),
    "others who signed the version before": (ON, "ada ben cleo dora", [(OFF, "cleo dora")], "ada ben", True),
    "who takes a batch in: two others": (TAKERS, "ada ben cleo", [], "ada ben", True),
    "who takes a batch in: one other": (TAKERS, "ada ben", [], "cleo dora", False),
    "both: three others": (BOTH, "ada ben cleo dora eve", [], "ada ben", True),
    "both: two others": (BOTH, "ada ben cleo dora", [], "ada ben", False),
    "two others of six, who are none": (ON, "ada ben eve", [], "cleo dora", True),
}


@pytest.mark.parametrize("case", ROOM)
def test_two_who_may_decide_remain_or_it_is_not_enrolled(ledger: Ledger, office: Office, case: str) -> None:
    new, approvers, before, by, fine = ROOM[case]
    today = ledger.clock.now().date() - timedelta(days=1)
    enrol(office, [(body.replace(b"2026-03-02", str(today).encode()), who) for body, who in before])
    for name in reversed(PEOPLE):
        if name not in approvers.split():
            office.give(name, Role.INSTRUMENT_KEEPER, by=("ada", "ben") if name not in "ada ben" else ("cleo", "dora"))
    known: Any = ledger.versions("mou")
    if fine:
        office.enrol(new, *by.split())
        assert ledger.versions("mou")[-1].body == new
    else:
        with pytest.raises(Usage, match=r"NOBODY_TO_DECIDE.*mou"):
            office.enrol(new, *by.split())
        assert ledger.versions("mou") == known
        office.enrol(OFF + b"\n", *by.split())  # without it there is nothing to ask
    assert ledger.verify() == []
