"""Who may do what: each act by each role, alone and after demotion; several keys of one person; what was taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.errors import BadInput, Usage
from flows.batch.decisions import resume, withdraw
from flows.ledger.calling import CallReason
from flows.ledger.case_records import NewCase
from flows.ledger.database.models import KeyName
from flows.ledger.decisions import Decision, Reason
from flows.ledger.facts import View
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.cases import CaseReason, Proof, message
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.looks import LookReason, Why
from flows.ledger.restorations import Outside
from flows.ledger.roles import ACTS, ALL, ROLES, Act, NotYourRole, Role, may
from flows.ledger.snoozing import SnoozeReason
from tests.factories.authenticator import Authenticator
from tests.factories.ledgers import ORDER, ROWS, Office, pairs, published, receive, sealed, sha
from tests.flows.ledger.test_review import held

DROP, INTAKE = Decision.DROP, Checkpoint.INTAKE
KEYS = [(name, sha(name)) for name in (KeyName.HASH, KeyName.HOLDER_SIGNING, KeyName.HOLDER_AGE)]


def test_the_table_of_roles() -> None:
    """As people read it. A role with more than this is a decision, not an accident."""
    assert {role: sorted(ACTS[role]) for role in Role} == {
        Role.VIEWER: ["view"],
        Role.OPERATOR: ["call", "halt", "recall", "receive", "reject", "retry", "snooze", "view", "view_request"],
        Role.APPROVER: [
            *("call", "confirm", "drop", "halt", "home", "operators", "recall", "receive", "reject", "resume"),
            *("retry", "snooze", "view", "view_request"),
        ],
        Role.INSTRUMENT_KEEPER: ["call", "compliance", "enrol_instrument", "halt", "view"],
        Role.AUDITOR: ["halt", "view", "view_register", "view_request", "views"],
    }
    assert all(may([role], act) is (act in ACTS[role]) for role in Role for act in Act)
    assert not any(may([], act) for act in Act)


class Desk:
    """A ledger with two operators for everything, and one more, `zoe`, who is tried."""

    def __init__(self, ledger: Ledger, folder: Any) -> None:
        self.ledger, self.folder = ledger, folder
        self.office = Office(ledger, "ada", "ben", "cleo", "zoe")

    def two(self, said: bytes, namespace: str, one: str = "zoe") -> dict[str, str]:
        return self.office.signed(said, ("ada", one), namespace)

    def decide(self, decision: Decision) -> None:
        which, code = (Checkpoint.MATCHING, "MATCH_RATE") if decision is not DROP else (INTAKE, "TOO_MANY_INCOMPLETE")
        held(self.ledger, which, code)
        self.office.decide("zoe", "batch-1", which, decision)

    def resume(self) -> None:
        resume(self.ledger, self.ledger.halt("ada", Reason.NOT_VALID), self.office.keys["zoe"], Reason.CAUSE_MENDED)

    def recall(self) -> None:
        self.open_case("ada")
        self.ledger.take("c-1", Proof.LIST, lambda *_: {}, sha("list"))
        text = message("c-1", Proof.NOTICE, self.ledger.case("c-1").seq, sha("notice"))
        signed = self.office.sign("zoe", text, signatures.RECALL)
        self.ledger.take("c-1", Proof.NOTICE, lambda *_: {}, sha("notice"), signed)

    def open_case(self, who: str = "zoe") -> None:
        sealed(self.ledger, "batch-1") if receive(self.ledger) else None
        published(self.ledger, self.folder, "batch-1")
        found = datetime(2026, 3, 3, tzinfo=UTC)
        new = NewCase("c-1", "agency", "mou", CaseReason.LOOKBACK, found, {"batch-1": 1}, {"NO_NUMBER": 1}, sha("c"))
        self.ledger.open_case(new, pairs("batch-1"), who)

    def instrument(self) -> None:
        self.office.enrol(ORDER, "ada", "zoe")

    def compliance(self) -> None:
        self.office.enrol(ORDER)
        said = self.ledger.compliance_message("order-1", sha("filed"))
        signed = self.office.sign("zoe", said, signatures.COMPLIANCE)
        self.ledger.confirm_compliance("order-1", sha("filed"), self.office.line("zoe"), signed)

    def enrol(self) -> None:
        line = signatures.public_line(self.office.new_key())
        said = self.ledger.operator_message("new", line, [Role.VIEWER])
        self.ledger.enrol_operator("new", line, self.two(said, signatures.OPERATOR), [Role.VIEWER])

    def revoke(self) -> None:
        self.office.revoke("cleo", "ada", "zoe")

    def key(self, *by: str) -> str:
        line = signatures.public_line(self.office.new_key())
        said = self.ledger.key_message("cleo", line, True)
        self.ledger.add_key("cleo", line, self.office.signed(said, by or ("ada", "zoe"), signatures.OPERATOR))
        return line

    def unkey(self) -> None:
        line = self.key("ada", "ben")
        said = self.ledger.key_message("cleo", line, False)
        self.ledger.remove_key("cleo", line, self.two(said, signatures.OPERATOR))

    def roles(self) -> None:
        self.office.give("cleo", Role.VIEWER, by=("ada", "zoe"))

    def home_keys(self) -> None:
        self.ledger.record_keys(KEYS)
        new = [(name, sha("new") if name is KeyName.HOLDER_SIGNING else key) for name, key in KEYS]
        self.ledger.record_keys(new, self.two(self.ledger.keys_message(new), signatures.KEYS))

    def look(self, what: View) -> None:
        receive(self.ledger)
        self.ledger.audit("batch-1", 3 if what in (View.VALUES, View.REGISTER) else None, what, "zoe", WHY)

    def receive(self) -> None:
        receive(self.ledger, "by-hand", by="zoe")
        assert self.ledger.known_batch("by-hand").received_by == "zoe"

    def clock(self) -> None:
        today = self.ledger.clock.now().date()
        self.ledger.set_clock(today, self.two(self.ledger.clock_message(today), signatures.CLOCK))

    def opening(self) -> None:
        with self.ledger.transaction() as session:
            self.ledger.record_restored(session, sha("backup"))
        outside = Outside(self.ledger.restorations()[-1].head, (), ())
        self.ledger.open_restored(outside, self.two(self.ledger.opening_message(outside), signatures.OPENING))


WHY = Why(LookReason.INSPECTION)


def soon(ledger: Ledger) -> datetime:
    return ledger.clock.now() + timedelta(hours=1)


# What zoe tries, by what it is in the table.
TRIED: dict[str, tuple[Act, Callable[[Desk], Any]]] = {
    "take a submission in": (Act.RECEIVE, Desk.receive),
    "halt": (Act.HALT, lambda desk: desk.ledger.halt("zoe", Reason.NOT_VALID)),
    "reject": (Act.REJECT, lambda desk: desk.decide(Decision.REJECT)),
    "retry": (Act.RETRY, lambda desk: desk.decide(Decision.RETRY)),
    "drop": (Act.DROP, lambda desk: desk.decide(Decision.DROP)),
    "confirm": (Act.CONFIRM, lambda desk: desk.decide(Decision.CONFIRM)),
    "resume": (Act.RESUME, Desk.resume),
    "recall": (Act.RECALL, Desk.recall),
    "open a recall": (Act.RECALL, Desk.open_case),
    "instrument": (Act.ENROL_INSTRUMENT, Desk.instrument),
    "compliance": (Act.COMPLIANCE, Desk.compliance),
    "enrol": (Act.OPERATORS, Desk.enrol),
    "revoke": (Act.OPERATORS, Desk.revoke),
    "add a key": (Act.OPERATORS, Desk.key),
    "remove a key": (Act.OPERATORS, Desk.unkey),
    "give roles": (Act.OPERATORS, Desk.roles),
    "keys of the home": (Act.HOME, Desk.home_keys),
    "clock": (Act.HOME, Desk.clock),
    "opening": (Act.HOME, Desk.opening),
    "snooze": (Act.SNOOZE, lambda desk: desk.ledger.snooze(sha("it"), "zoe", SnoozeReason.PLANNED, soon(desk.ledger))),
    "call": (Act.CALL, lambda desk: desk.ledger.call(sha("it"), "zoe", CallReason.LAW_UNCLEAR)),
    "values of a request": (Act.VIEW_REQUEST, lambda desk: desk.look(View.VALUES)),
    "values of the register": (Act.VIEW_REGISTER, lambda desk: desk.look(View.REGISTER)),
    "an accounting": (Act.VIEW_REGISTER, lambda desk: desk.look(View.ACCOUNTING)),
    "a person": (Act.VIEW_REGISTER, lambda desk: desk.ledger.audit_person(sha("person"), "zoe", WHY)),
}
# to look at pages is for every role, or for auditors; the console's tests ask for it
assert {act for act, _ in TRIED.values()} == set(Act) - {Act.VIEW, Act.VIEWS}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("tried", TRIED)
def test_what_the_table_forbids_is_refused_and_recorded(ledger: Ledger, tmp_path: Any, tried: str, role: Role) -> None:
    desk = Desk(ledger, tmp_path)
    desk.office.give("zoe", role, by=("ada", "ben"))
    act, run = TRIED[tried]
    if role in ROLES[act]:
        run(desk)
    else:
        with pytest.raises(NotYourRole, match=f"NOT_YOUR_ROLE.*{act}.*zoe.*{min(ROLES[act])}"):
            run(desk)
    denied = [json.loads(event.facts) for event in ledger.links() if event.kind == "denied"]
    assert denied == ([] if role in ROLES[act] else [{"act": act.value, "by": "zoe"}])
    assert ledger.verify() == []


def test_what_was_signed_with_a_role_that_is_gone_and_still_waits_counts_no_more(ledger: Ledger) -> None:
    office = Office(ledger, "ada", "ben", "cleo", "dora")
    held(ledger)
    assert office.decide("ada", "batch-1", INTAKE, DROP) is State.HELD
    early = office.sign("ada", ledger.decision_message("batch-1", DROP))
    office.give("ada", Role.AUDITOR, by=("ben", "cleo"))
    assert ledger.decisions("batch-1") == []
    with pytest.raises(NotYourRole):
        office.decide("ada", "batch-1", INTAKE, DROP)
    assert office.decide("ben", "batch-1", INTAKE, DROP) is State.HELD  # the first of two, again
    office.give("ada", *ALL, by=("ben", "cleo"))
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):  # what is void does not come back
        ledger.decide("batch-1", INTAKE, ROWS, DROP, Reason.NOT_VALID, office.line("ada"), early)
    assert office.decide("ada", "batch-1", INTAKE, DROP) is State.RECEIVED
    assert ledger.verify() == []


@pytest.mark.parametrize("how", ["revoked", "demoted"])
def test_a_halt_and_a_recall_wait_for_others_than_who_may_no_more(ledger: Ledger, tmp_path: Any, how: str) -> None:
    desk = Desk(ledger, tmp_path)
    halt = ledger.halt("cleo", Reason.SUSPECTED_FAULT)
    assert not resume(ledger, halt, desk.office.keys["zoe"], Reason.CAUSE_MENDED)
    if how == "revoked":
        desk.office.revoke("zoe", "ada", "ben")
    else:
        desk.office.give("zoe", Role.VIEWER, by=("ada", "ben"))
    assert not resume(ledger, halt, desk.office.keys["ada"], Reason.CAUSE_MENDED)
    assert resume(ledger, halt, desk.office.keys["ben"], Reason.CAUSE_MENDED)
    assert ledger.halts() == [] and ledger.verify() == []


def test_what_a_decision_kept_its_roles_for_stays(ledger: Ledger) -> None:
    """What was decided is not undone, and who keeps the role keeps what it signed."""
    office = Office(ledger, "ada", "ben", "cleo", "dora")
    held(ledger)
    office.decide("ada", "batch-1", INTAKE, DROP)
    office.give("ada", Role.APPROVER, by=("ben", "cleo"))
    assert [d.operator for d in ledger.decisions("batch-1")] == ["ada"]
    assert office.decide("ben", "batch-1", INTAKE, DROP) is State.RECEIVED
    office.give("ada", Role.VIEWER, by=("ben", "cleo"))
    assert ledger.granted("batch-1", INTAKE, ROWS, DROP) and ledger.verify() == []


def test_two_others_give_roles_each_time_anew(ledger: Ledger) -> None:
    office = Office(ledger, "ada", "ben", "cleo", "dora")
    for by, code in {("ada",): "TWO_SIGNATURES", ("ada", "dora"): "OWN_REVOCATION"}.items():
        with pytest.raises(Usage, match=code):
            office.give("dora", Role.VIEWER, by=by)
    with pytest.raises(Usage, match="NO_ROLE"):
        office.give("dora", by=("ada", "ben"))
    said = ledger.roles_message("dora", [Role.VIEWER])
    old = office.signed(said, ("ada", "ben"), signatures.OPERATOR)
    ledger.give_roles("dora", [Role.VIEWER, Role.VIEWER], old)
    office.give("dora", Role.AUDITOR, by=("ada", "ben"))
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):  # signed for what stood before
        ledger.give_roles("dora", [Role.VIEWER], old)
    assert {o.name: o.roles for o in ledger.operators()}["dora"] == (Role.AUDITOR,)
    line = signatures.public_line(office.new_key())
    with pytest.raises(Usage, match="NO_ROLE"):
        ledger.enrol_operator("eve", line, {})
    said = ledger.operator_message("eve", line, [Role.VIEWER])
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):  # signed for fewer roles
        ledger.enrol_operator("eve", line, office.signed(said, ("ada", "ben"), signatures.OPERATOR), ALL)
    assert ledger.verify() == []


def test_two_keys_of_one_person_are_one_signature(ledger: Ledger) -> None:
    office, phone = Office(ledger, "ada", "ben", "cleo"), Authenticator()
    said = ledger.key_message("ada", phone.line, True)
    ledger.add_key("ada", phone.line, office.signed(said, ("ada", "ben"), signatures.OPERATOR))
    with pytest.raises(Usage, match="OPERATOR_KNOWN"):
        ledger.add_key("ada", phone.line, office.signed(said, ("ada", "ben"), signatures.OPERATOR))
    with pytest.raises(Usage, match="OPERATOR_KNOWN"):
        ledger.enrol_operator("eve", phone.line, {}, ALL)
    held(ledger)
    office.decide("ada", "batch-1", INTAKE, DROP)
    signed = phone.sign(ledger.decision_message("batch-1", DROP), signatures.DECISION)
    with pytest.raises(BadInput, match="DECIDED_ALREADY"):
        ledger.decide("batch-1", INTAKE, ROWS, DROP, Reason.NOT_VALID, phone.line, signed)
    text = ledger.instrument_message(ORDER)
    both = {"ssh": office.sign("ada", text, signatures.INSTRUMENT), "passkey": phone.sign(text, signatures.INSTRUMENT)}
    with pytest.raises(Usage, match="SAME_OPERATOR"):
        ledger.enrol_instrument(ORDER, both)
    assert [k.key_line for o in ledger.operators() if o.name == "ada" for k in o.keys] == [
        office.line("ada"),
        phone.line,
    ]
    assert ledger.verify() == []


def test_a_key_is_taken_away_by_others_and_never_comes_back(ledger: Ledger) -> None:
    office = Office(ledger, "ada", "ben", "cleo")
    lost, phone = office.line("ada"), Authenticator()
    said = ledger.key_message("ada", lost, False)
    with pytest.raises(Usage, match="LAST_KEY"):
        ledger.remove_key("ada", lost, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    added = ledger.key_message("ada", phone.line, True)
    ledger.add_key("ada", phone.line, office.signed(added, ("ben", "cleo"), signatures.OPERATOR))
    with pytest.raises(Usage, match="OWN_REMOVAL"):
        ledger.remove_key("ada", lost, office.signed(said, ("ada", "ben"), signatures.OPERATOR))
    with pytest.raises(Usage, match="NO_SUCH_KEY"):
        ledger.remove_key("ben", lost, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    ledger.remove_key("ada", lost, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    held(ledger)
    with pytest.raises(BadInput, match="KEY_REMOVED"):
        office.decide("ada", "batch-1", INTAKE, DROP)
    with pytest.raises(BadInput, match="KEY_REMOVED"):
        office.enrol(ORDER, "ada", "ben")
    again = ledger.key_message("ada", lost, True)
    with pytest.raises(Usage, match="OPERATOR_KNOWN"):
        ledger.add_key("ada", lost, office.signed(again, ("ben", "cleo"), signatures.OPERATOR))
    signed = phone.sign(ledger.decision_message("batch-1", DROP), signatures.DECISION)
    assert ledger.decide("batch-1", INTAKE, ROWS, DROP, Reason.NOT_VALID, phone.line, signed) is State.HELD
    said = ledger.operator_message("ada")  # revoked by the key that enrolled it, though that is gone
    ledger.revoke_operator("ada", office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    assert ledger.decisions("batch-1") == [] and ledger.verify() == []


def test_what_a_stolen_key_signed_and_still_waits_goes_with_it(ledger: Ledger) -> None:
    office, phone = Office(ledger, "ada", "ben", "cleo"), Authenticator()
    said = ledger.key_message("ada", phone.line, True)
    ledger.add_key("ada", phone.line, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    held(ledger)
    signed = phone.sign(ledger.decision_message("batch-1", DROP), signatures.DECISION)
    ledger.decide("batch-1", INTAKE, ROWS, DROP, Reason.NOT_VALID, phone.line, signed)
    halt = ledger.halt("cleo", Reason.SUSPECTED_FAULT)
    resume(ledger, halt, office.keys["ada"], Reason.CAUSE_MENDED)  # with the key that stays
    said = ledger.key_message("ada", phone.line, False)
    ledger.remove_key("ada", phone.line, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    assert ledger.decisions("batch-1") == []
    assert resume(ledger, halt, office.keys["ben"], Reason.CAUSE_MENDED)
    assert office.decide("ada", "batch-1", INTAKE, DROP) is State.HELD
    assert office.decide("ben", "batch-1", INTAKE, DROP) is State.RECEIVED
    assert ledger.verify() == []


def test_a_decision_is_taken_back_until_the_second_has_spoken(ledger: Ledger) -> None:
    office = Office(ledger, "ada", "ben", "cleo")
    held(ledger)
    with pytest.raises(Usage, match="NOTHING_TO_WITHDRAW"):
        ledger.waiting_decision("batch-1", "ada")
    early = office.sign("ada", ledger.decision_message("batch-1", DROP))
    office.decide("ada", "batch-1", INTAKE, DROP)
    signed = ledger.waiting_decision("batch-1", "ada")
    with pytest.raises(Usage, match="NOTHING_TO_WITHDRAW"):  # another's
        withdraw(ledger, signed, office.keys["ben"])
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.withdraw(signed, office.line("ada"), early)
    withdraw(ledger, signed, office.keys["ada"])
    assert ledger.decisions("batch-1") == [] and ledger.batch("batch-1").state is State.HELD  # type: ignore[union-attr]
    with pytest.raises(Usage, match="NOTHING_TO_WITHDRAW"):  # twice
        withdraw(ledger, signed, office.keys["ada"])
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):  # somebody kept it
        ledger.decide("batch-1", INTAKE, ROWS, DROP, Reason.NOT_VALID, office.line("ada"), early)
    assert office.decide("ben", "batch-1", INTAKE, DROP) is State.HELD
    assert office.decide("ada", "batch-1", INTAKE, DROP) is State.RECEIVED  # decided otherwise after all
    with pytest.raises(Usage, match="NOTHING_TO_WITHDRAW"):  # the second has spoken
        withdraw(ledger, ledger.decisions("batch-1")[0].seq, office.keys["ben"])
    halt = ledger.halt("ada", Reason.SUSPECTED_FAULT)
    resume(ledger, halt, office.keys["ben"], Reason.CAUSE_MENDED)
    withdraw(ledger, ledger.head().seq, office.keys["ben"])
    assert not resume(ledger, halt, office.keys["ada"], Reason.CAUSE_MENDED)
    assert resume(ledger, halt, office.keys["ben"], Reason.CAUSE_MENDED)
    assert ledger.verify() == []


def test_looks_at_pages_spoil_no_signature_over_the_newest_event(ledger: Ledger) -> None:
    """Whoever sets the clock, or opens a restored home, need not close the console first; any other event counts."""
    office = Office(ledger, "ada", "ben", "cleo")
    ledger.deny(NotYourRole("ada", Act.HALT))
    today = ledger.clock.now().date()
    signed = office.signed(ledger.clock_message(today), ("ada", "ben"), signatures.CLOCK)
    ledger.deny(NotYourRole("ada", Act.HALT))
    ledger.set_clock(today, signed)
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):  # once
        ledger.set_clock(today, signed)
    signed = office.signed(ledger.clock_message(today), ("ada", "ben"), signatures.CLOCK)
    ledger.halt("ada", Reason.NOT_VALID)
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.set_clock(today, signed)
    with ledger.transaction() as session:
        ledger.record_restored(session, sha("backup"))
    outside = Outside(ledger.restorations()[-1].head, (), ())
    signed = office.signed(ledger.opening_message(outside), ("ada", "ben"), signatures.OPENING)
    ledger.deny(NotYourRole("ada", Act.HALT))
    assert ledger.open_restored(outside, signed) and ledger.verify() == []
