"""A change waits on the desk until two have signed it, each in their own time: what counts, what does not, and when."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput, SluicegateError, Usage
from flows.ledger import proposals
from flows.ledger.core import Core
from flows.ledger.entrance.models import Proposal, ProposalSignature
from flows.ledger.events.operators import OperatorChanged
from flows.ledger.events.proposals import ChangeProposed, ProposalSigned
from flows.ledger.ledger import Ledger
from flows.ledger.operators import OperatorRecord
from flows.ledger.proposed import ACT, USE, Asked, Proposed
from flows.ledger.roles import ALL, ROLES, Act, NotYourRole, Role
from tests.factories.authenticator import Authenticator
from tests.factories.ledgers import ORDER, Office

LIFTED = ORDER + b"lifted_on = 2026-02-01\n"
PHONE = Authenticator()


def sign(office: Office, number: int, who: str) -> bool:
    ledger = office.ledger
    message = ledger.proposal_message(number)
    use = USE[ledger.proposal(number).kind]
    return ledger.sign_proposal(number, office.line(who), office.sign(who, message, use))


def known(ledger: Ledger, name: str) -> OperatorRecord:
    return next(one for one in ledger.operators() if one.name == name)


def spare(office: Office) -> str:
    """A second key of cleo's."""
    line = signatures.public_line(office.new_key())
    said = office.ledger.key_message("cleo", line, True)
    office.ledger.add_key("cleo", line, office.signed(said, ("ada", "ben"), signatures.OPERATOR))
    return line


# Each change: how it is proposed (about whom, and what), and whether it was carried out.
CHANGES: dict[Proposed, tuple[Callable[[Office], tuple[str, bytes]], Callable[[Ledger], object]]] = {
    Proposed.INSTRUMENT: (
        lambda _: ("order-1", ORDER),
        lambda ledger: [b for _, _, b in ledger.instruments()] == [ORDER],
    ),
    Proposed.ENROL_OPERATOR: (
        lambda _: ("zoe", Asked.about(PHONE.line, [Role.VIEWER, Role.OPERATOR]).body),
        lambda ledger: (
            [(o.roles, o.keys[0].key_line) for o in ledger.operators() if o.name == "zoe"]
            == [((Role.OPERATOR, Role.VIEWER), PHONE.line)]
        ),
    ),
    Proposed.REVOKE_OPERATOR: (lambda _: ("cleo", Asked().body), lambda ledger: known(ledger, "cleo").revoked_at),
    Proposed.ADD_KEY: (
        lambda _: ("cleo", Asked.about(PHONE.line).body),
        lambda ledger: known(ledger, "cleo").keys[-1].key_line == PHONE.line,
    ),
    Proposed.REMOVE_KEY: (
        lambda office: ("cleo", Asked.about(spare(office)).body),
        lambda ledger: known(ledger, "cleo").keys[-1].removed_at,
    ),
    Proposed.ROLES: (
        lambda _: ("cleo", Asked.about(roles=[Role.AUDITOR]).body),
        lambda ledger: known(ledger, "cleo").roles == (Role.AUDITOR,),
    ),
}
assert set(CHANGES) == set(Proposed)


def told(ledger: Ledger) -> list[tuple[str, dict[str, Any]]]:
    return [(e.kind, json.loads(e.facts)) for e in ledger.links() if e.kind.startswith("propos")]


@pytest.mark.parametrize("kind", Proposed)
def test_a_change_waits_for_the_second_signature_and_is_then_carried_out_once(
    office: Office, ledger: Ledger, kind: Proposed
) -> None:
    make, done = CHANGES[kind]
    subject, body = make(office)
    number = ledger.propose(kind, subject, body, "ada")
    assert number == ledger.head().seq and ledger.propose(kind, subject, body, "ben") == number
    one = ledger.proposal(number)
    text = ledger.proposal_message(number)
    assert (one.kind, one.subject, one.body, one.operator, one.spoken) == (kind, subject, body, "ada", 0)
    assert one.digest == one.proposed == of_bytes(text) and one.obstacle == "" and one.void == 0
    assert one.expires_at - one.proposed_at == timedelta(days=14)
    assert sign(office, number, "ada") is False
    assert not done(ledger)
    assert [(p.number, p.signed) for p in ledger.proposals()] == [(number, ("ada",))]
    with pytest.raises(Usage, match="SIGNED_ALREADY"):
        sign(office, number, "ada")
    early = office.sign("ben", text, USE[kind])
    assert ledger.sign_proposal(number, office.line("ben"), early) is True
    assert done(ledger) and ledger.proposals() == []
    with pytest.raises(Usage, match="NO_PROPOSAL"):  # the second click of two
        ledger.sign_proposal(number, office.line("ben"), early)
    with ledger.reading() as session:
        assert session.query(ProposalSignature).count() == session.query(Proposal).count() == 0
    same = {"change": kind.value, "subject": subject, "digest": of_bytes(text)}
    signed = [
        {**same, "number": number, "by": who, "key": known(ledger, who).keys[0].fingerprint} for who in ("ada", "ben")
    ]
    assert told(ledger) == [("proposed", {**same, "by": "ada"}), *(("proposal_signed", one) for one in signed)]
    assert ledger.verify() == []


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", Proposed)
def test_who_may_propose_and_sign_is_what_the_table_of_roles_says(ledger: Ledger, kind: Proposed, role: Role) -> None:
    office = Office(ledger, "ada", "ben", "cleo", "zed")
    office.give("zed", role, by=("ada", "ben"))
    subject, body = CHANGES[kind][0](office)
    if may := role in ROLES[ACT[kind]]:
        number = ledger.propose(kind, subject, body, "zed")
    else:
        with pytest.raises(NotYourRole):
            ledger.propose(kind, subject, body, "zed")
        number = ledger.propose(kind, subject, body, "ada")
        with pytest.raises(NotYourRole):
            sign(office, number, "zed")
    assert sign(office, number, "ada") is False
    if may:
        assert sign(office, number, "zed") is True
    denied = [json.loads(e.facts) for e in ledger.links() if e.kind == "denied"]
    assert denied == ([] if may else [{"act": ACT[kind].value, "by": "zed"}] * 2) and ledger.verify() == []


def test_everybody_may_ask_for_one_more_key_of_their_own(office: Office, ledger: Ledger) -> None:
    office.give("cleo", Role.VIEWER, by=("ada", "ben"))
    number = ledger.propose(Proposed.ADD_KEY, "cleo", Asked.about(PHONE.line).body, "cleo")
    for subject, kind in (("ada", Proposed.ADD_KEY), ("cleo", Proposed.REMOVE_KEY)):
        with pytest.raises(NotYourRole):
            ledger.propose(kind, subject, Asked.about(Authenticator().line).body, "cleo")
    with pytest.raises(NotYourRole):
        sign(office, number, "cleo")
    assert not sign(office, number, "ada") and sign(office, number, "ben")
    assert CHANGES[Proposed.ADD_KEY][1](ledger) and ledger.verify() == []


@pytest.mark.parametrize("kind", [Proposed.REVOKE_OPERATOR, Proposed.ROLES])
def test_nobody_signs_for_a_change_of_their_own(office: Office, ledger: Ledger, kind: Proposed) -> None:
    subject, body = CHANGES[kind][0](office)
    number = ledger.propose(kind, subject, body, "cleo")
    with pytest.raises(Usage, match="OWN_REVOCATION"):
        sign(office, number, "cleo")
    assert not sign(office, number, "ada")
    with pytest.raises(Usage, match="OWN_REVOCATION"):
        sign(office, number, "cleo")
    assert sign(office, number, "ben") and ledger.verify() == []


def test_a_key_signs_not_that_it_is_taken_away(office: Office, ledger: Ledger) -> None:
    spare(office)
    number = ledger.propose(Proposed.REMOVE_KEY, "cleo", Asked.about(office.line("cleo")).body, "cleo")
    with pytest.raises(Usage, match="OWN_REMOVAL"):
        sign(office, number, "cleo")
    assert not sign(office, number, "ada") and sign(office, number, "ben") and ledger.verify() == []


@pytest.mark.parametrize("how", ["revoked", "demoted", "key removed"])
def test_a_signature_that_counts_no_more_is_gone_and_the_change_waits(ledger: Ledger, how: str) -> None:
    office = Office(ledger, "ada", "ben", "cleo", "dora")
    number = ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ada")
    if how == "key removed":
        said = ledger.key_message("ada", PHONE.line, True)
        ledger.add_key("ada", PHONE.line, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    assert not sign(office, number, "ada")
    if how == "revoked":
        office.revoke("ada", "ben", "cleo")
    elif how == "demoted":
        office.give("ada", Role.APPROVER, by=("ben", "cleo"))
    else:
        said = ledger.key_message("ada", office.line("ada"), False)
        ledger.remove_key("ada", office.line("ada"), office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    one = ledger.proposal(number)
    assert (one.signed, one.void, one.obstacle) == ((), 1, "")
    assert not sign(office, number, "ben")  # the first of two
    one = ledger.proposal(number)
    assert (one.signed, one.void) == (("ben",), 0) and ledger.instruments() == []
    if how == "key removed":  # the same person again, with the key that stays
        signed = PHONE.sign(ledger.proposal_message(number), signatures.INSTRUMENT)
        assert ledger.sign_proposal(number, PHONE.line, signed)
    else:
        assert sign(office, number, "cleo")
    assert [b for _, _, b in ledger.instruments()] == [ORDER] and ledger.verify() == []


@pytest.mark.parametrize("kind", [Proposed.INSTRUMENT, Proposed.ROLES])
def test_what_was_signed_over_what_stood_before_counts_no_more(office: Office, ledger: Ledger, kind: Proposed) -> None:
    subject, body = CHANGES[kind][0](office)
    number = ledger.propose(kind, subject, body, "ada")
    early = {who: office.sign(who, ledger.proposal_message(number), USE[kind]) for who in ("ada", "ben")}
    assert not ledger.sign_proposal(number, office.line("ada"), early["ada"])
    if kind is Proposed.INSTRUMENT:
        office.enrol(LIFTED)
    else:
        office.give("cleo", Role.VIEWER, by=("ada", "ben"))
    one = ledger.proposal(number)
    assert one.signed == () and one.void == 1 and one.digest not in (None, one.proposed)
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.sign_proposal(number, office.line("ben"), early["ben"])
    assert not sign(office, number, "ben") and ledger.proposal(number).void == 0
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.sign_proposal(number, office.line("ada"), early["ada"])
    assert sign(office, number, "ada") and CHANGES[kind][1](ledger) and ledger.verify() == []


def test_what_stands_by_another_way_cannot_be_carried_out_again(office: Office, ledger: Ledger) -> None:
    number = ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ada")
    sign(office, number, "ada")
    revoking = ledger.propose(Proposed.REVOKE_OPERATOR, "cleo", Asked().body, "ada")
    sign(office, revoking, "ada")
    office.enrol(ORDER)
    office.revoke("cleo", "ada", "ben")
    assert [p.obstacle for p in ledger.proposals()] == [
        "it stands already",
        "no operator of this name is enrolled",
    ]
    with pytest.raises(Usage, match="UNKNOWN_OPERATOR"):
        sign(office, revoking, "ben")
    assert sign(office, number, "ben")  # it is as they wished, and nothing is done
    assert [v.version for v in ledger.versions("order-1")] == [1] and ledger.verify() == []
    with pytest.raises(Usage, match="NOTHING_TO_DO"):
        ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ada")


@pytest.mark.parametrize(
    ("kind", "subject", "body", "code"),
    [
        (Proposed.INSTRUMENT, "order-1", b"kind = 1", "INSTRUMENT"),
        (Proposed.INSTRUMENT, "order-2", ORDER, "OTHER_INSTRUMENT"),
        (Proposed.INSTRUMENT, "order-1", b"#" * 65_537, "PROPOSAL_TOO_LONG"),
        (Proposed.ENROL_OPERATOR, "no name", Asked.about(PHONE.line, ALL).body, "UNSAFE_NAME"),
        (Proposed.ENROL_OPERATOR, "cleo", Asked.about(PHONE.line, ALL).body, "OPERATOR_KNOWN"),
        (Proposed.ENROL_OPERATOR, "zoe", Asked.about(PHONE.line).body, "NO_ROLE"),
        (Proposed.ENROL_OPERATOR, "zoe", Asked.about(roles=ALL).body, "NO_KEY"),
        (Proposed.ENROL_OPERATOR, "zoe", Asked.about("ssh-rsa AAAA", ALL).body, "KEY_NOT_ED25519"),
        (Proposed.ENROL_OPERATOR, "zoe", b'{"roles":["king"]}', "PROPOSAL_UNREADABLE"),
        (Proposed.ENROL_OPERATOR, "zoe", b'{ "roles":["viewer"]}', "PROPOSAL_UNREADABLE"),
        (Proposed.ENROL_OPERATOR, "zoe", b"[]", "PROPOSAL_UNREADABLE"),
        (Proposed.ENROL_OPERATOR, "zoe", b"\xff", "PROPOSAL_UNREADABLE"),
        (Proposed.REVOKE_OPERATOR, "zoe", Asked().body, "UNKNOWN_OPERATOR"),
        (Proposed.REMOVE_KEY, "cleo", Asked.about(PHONE.line).body, "NO_SUCH_KEY"),
        (Proposed.ROLES, "cleo", Asked().body, "NO_ROLE"),
    ],
)
def test_what_cannot_be_carried_out_is_not_proposed(
    office: Office, ledger: Ledger, kind: Proposed, subject: str, body: bytes, code: str
) -> None:
    with pytest.raises((BadInput, Usage), match=code):
        ledger.propose(kind, subject, body, "ada")
    assert ledger.proposals() == [] and told(ledger) == [] and ledger.verify() == []


def test_it_is_over_after_two_weeks(office: Office, ledger: Ledger) -> None:
    number = ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ada")
    sign(office, number, "ada")
    text, until = ledger.proposal_message(number), ledger.proposal(number).expires_at
    with pytest.raises(Usage, match="NO_PROPOSAL"):
        ledger.proposal(number + 1)
    ledger.clock = Clock(until - timedelta(seconds=1))
    assert len(ledger.proposals()) == 1
    ledger.clock = Clock(until)
    assert ledger.proposals() == []
    late = office.sign("ben", text, signatures.INSTRUMENT)
    for refused in (
        lambda: ledger.sign_proposal(number, office.line("ben"), late),
        lambda: ledger.withdraw_proposal(number, "ada"),
        lambda: ledger.proposal_message(number),
    ):
        with pytest.raises(Usage, match="NO_PROPOSAL"):
            refused()
    again = ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ben")
    assert again > number and ledger.proposal(again).spoken == 0
    with ledger.reading() as session:
        assert session.query(ProposalSignature).count() == 0
    assert ledger.instruments() == [] and ledger.verify() == []


def test_it_is_taken_back_by_who_proposed_or_signed_it(office: Office, ledger: Ledger) -> None:
    number = ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ada")
    with pytest.raises(Usage, match="NOTHING_TO_WITHDRAW"):
        ledger.withdraw_proposal(number, "ben")
    sign(office, number, "ben")
    ledger.withdraw_proposal(number, "ben")
    assert ledger.proposal(number).spoken == 0
    assert not sign(office, number, "cleo") and not ledger.instruments()
    ledger.withdraw_proposal(number, "ada")
    assert ledger.proposals() == [] and ledger.instruments() == []
    said = [facts for kind, facts in told(ledger) if kind == "proposal_undone"]
    assert [(one["by"], one["whole"], one["number"]) for one in said] == [("ben", False, number), ("ada", True, number)]
    assert ledger.verify() == []


def test_no_desk_overflows(office: Office, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MOST", 3)
    monkeypatch.setattr(proposals, "OWN", 2)

    def one(by: str) -> int:
        return ledger.propose(Proposed.ADD_KEY, by, Asked.about(Authenticator().line).body, by)

    first, _ = one("ada"), one("ada")
    with pytest.raises(Usage, match=r"TOO_MANY_PROPOSALS.*2 proposals are open of ada"):
        one("ada")
    one("ben")
    with pytest.raises(Usage, match=r"TOO_MANY_PROPOSALS.*3 proposals are open"):
        one("ben")
    ledger.withdraw_proposal(first, "ada")
    assert one("ben") and ledger.verify() == []


def test_two_who_sign_at_the_same_moment_carry_it_out_once(office: Office, ledger: Ledger, url: str) -> None:
    number = ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ada")
    text = ledger.proposal_message(number)
    given = [(who, office.sign(who, text, signatures.INSTRUMENT)) for who in ("ada", "ben", "cleo", "ada", "ben")]

    def signs(one: tuple[str, str]) -> str:
        with Ledger.open(url) as own:
            try:
                return str(own.sign_proposal(number, office.line(one[0]), one[1]))
            except Usage as error:
                return error.code

    with ThreadPoolExecutor(5) as pool:
        came = sorted(pool.map(signs, given))
    assert came.count("True") == came.count("False") == 1
    assert set(came) <= {"True", "False", "NO_PROPOSAL", "SIGNED_ALREADY"}
    assert [v.version for v in ledger.versions("order-1")] == [1] and ledger.verify() == []


class Cut(Exception):
    """The power."""


@pytest.mark.parametrize("at", ["before", "after"])
def test_a_crash_leaves_a_proposal_that_is_carried_out_once(
    office: Office, ledger: Ledger, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is cut off while it is carried out, before or after the change itself: nothing of it was done."""
    number = ledger.propose(Proposed.REVOKE_OPERATOR, "cleo", Asked().body, "ada")
    sign(office, number, "ada")
    append = Core.append

    def cut(self: Core, session: Any, batch: Any, event: Any, *more: Any, **named: Any) -> int:
        if at == "before" and isinstance(event, OperatorChanged):
            raise Cut
        seq = append(self, session, batch, event, *more, **named)
        if isinstance(event, OperatorChanged):
            raise Cut
        return seq

    monkeypatch.setattr(Core, "append", cut)
    with pytest.raises(Cut):
        sign(office, number, "ben")
    monkeypatch.undo()
    assert known(ledger, "cleo").revoked_at is None and ledger.proposal(number).signed == ("ada",)
    assert ledger.verify() == []
    assert sign(office, number, "ben") and known(ledger, "cleo").revoked_at
    assert [e.kind for e in ledger.links()].count("operator") == 4 and ledger.verify() == []


def test_a_passkey_and_an_ssh_key_are_two_people_or_one(office: Office, ledger: Ledger) -> None:
    phone = Authenticator()
    said = ledger.key_message("ada", phone.line, True)
    ledger.add_key("ada", phone.line, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    number = ledger.propose(Proposed.ROLES, "cleo", Asked.about(roles=[Role.VIEWER]).body, "ada")
    text = ledger.proposal_message(number)
    signed = phone.sign(text, signatures.OPERATOR)
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.sign_proposal(number, office.line("ada"), signed)
    with pytest.raises(BadInput, match="WRONG_NAMESPACE"):
        ledger.sign_proposal(number, phone.line, phone.sign(text, signatures.DECISION))
    assert not ledger.sign_proposal(number, phone.line, signed)
    with pytest.raises(Usage, match="SIGNED_ALREADY"):
        sign(office, number, "ada")
    assert sign(office, number, "ben") and ledger.verify() == []


def test_what_is_edited_on_the_desk_carries_nothing_out(office: Office, ledger: Ledger, owner: Ledger) -> None:
    """Whoever writes into the database changes what is proposed, or puts a signature in: neither counts."""
    number = ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ada")
    sign(office, number, "ada")
    with owner.transaction() as session:
        session.connection().exec_driver_sql("UPDATE proposal_signatures SET operator = 'cleo'")
    assert ledger.proposal(number).signed == ()
    with owner.transaction() as session:
        session.connection().exec_driver_sql("UPDATE proposal_signatures SET operator = 'ada'")
    assert ledger.proposal(number).signed == ("ada",)
    with owner.transaction() as session:
        session.get_one(Proposal, number).body = LIFTED
    one = ledger.proposal(number)
    assert one.signed == () and one.void == 1
    assert not sign(office, number, "ben") and ledger.instruments() == [] and ledger.verify() == []


def test_only_who_could_then_has_proposed_or_signed_in_the_chain(office: Office, ledger: Ledger) -> None:
    office.give("cleo", Role.VIEWER, by=("ada", "ben"))
    key = {who: known(ledger, who).keys[0].fingerprint for who in ("ada", "cleo")}
    about: dict[str, Any] = {"change": Proposed.ROLES, "subject": "ben", "digest": "0" * 64}
    for event in (
        ChangeProposed(by="cleo", **about),
        ChangeProposed(by="nobody", **about),
        ProposalSigned(by="cleo", number=1, key=key["cleo"], **about),
        ProposalSigned(by="ada", number=1, key=key["cleo"], **about),
        ProposalSigned(by="ada", number=1, key="0" * 64, **about),
    ):
        with pytest.raises(SluicegateError, match=r"EVENT_WRONG.*could not"), ledger.transaction() as session:
            ledger.append(session, None, event, also={"nobody"})
    assert ledger.verify() == []


def test_proposals_spoil_no_signature_over_the_newest_event(office: Office, ledger: Ledger) -> None:
    today = ledger.clock.now().date()
    signed = office.signed(ledger.clock_message(today), ("ada", "ben"), signatures.CLOCK)
    number = ledger.propose(Proposed.INSTRUMENT, "order-1", ORDER, "ada")
    sign(office, number, "ada")
    ledger.withdraw_proposal(number, "ada")
    ledger.set_clock(today, signed)
    assert ledger.verify() == []


def test_a_body_is_written_in_one_way() -> None:
    asked = Asked.about("key", [Role.VIEWER, Role.AUDITOR, Role.VIEWER])
    assert asked.body == b'{"key":"key","roles":["auditor","viewer"]}' and Asked.of(asked.body) == asked
    assert Asked.of(Asked().body) == Asked() and Asked().body == b"{}"
    with pytest.raises(BadInput):
        Asked.of(replace(asked, roles=(Role.VIEWER, Role.VIEWER)).body)
    assert set(ACT.values()) == {Act.OPERATORS, Act.ENROL_INSTRUMENT}
