"""What is signed names the home, and what was written about the reason; and who may know that it was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.errors import BadInput, Fault
from flows.batch.decisions import resume, withdraw
from flows.ledger import review
from flows.ledger.decisions import Decision, Reason
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.roles import ALL, NotYourRole, Role
from tests.factories.ledgers import ROWS, Office, sha
from tests.flows.ledger.test_review import held

DROP, REJECT, INTAKE = Decision.DROP, Decision.REJECT, Checkpoint.INTAKE
NOTE, OTHER = sha("what was written"), sha("something else")


def hand_in(ledger: Ledger, office: Office, who: str, signature: str, note: str | None = None) -> State:
    why = Reason.INCOMPLETE_ROWS
    return ledger.decide("batch-1", INTAKE, ROWS, DROP, why, office.line(who), signature, note)


def signed(ledger: Ledger, office: Office, who: str, note: str | None = None) -> str:
    return office.sign(who, ledger.decision_message("batch-1", DROP, note))


def test_a_signature_for_one_home_counts_in_no_other(ledger: Ledger, office: Office, tmp_path: Path) -> None:
    """Two homes with the same operators, the same batch held by the same event, and the same halt."""
    with Ledger.open(f"sqlite:///{tmp_path / 'other.db'}") as other:
        twin = Office(other)
        twin.keys = office.keys
        for name in office.keys:
            said = other.operator_message(name, twin.line(name), ALL)
            by = twin.signed(said, ("ada", "ben"), signatures.OPERATOR)
            other.enrol_operator(name, twin.line(name), by, ALL)
        for one in (ledger, other):
            held(one, INTAKE, "TOO_MANY_INCOMPLETE")
        ours, theirs = (one.known_batch("batch-1") for one in (ledger, other))
        assert (ours.hold, ours.content_digest) == (theirs.hold, theirs.content_digest)
        before = other.head()
        with pytest.raises(BadInput, match="BAD_SIGNATURE"):
            hand_in(other, twin, "ada", signed(ledger, office, "ada"))
        assert other.head() == before
        halts = [one.halt("ada", Reason.NOT_VALID) for one in (ledger, other)]
        assert halts[0] == halts[1]
        with pytest.raises(BadInput, match="BAD_SIGNATURE"):
            why = Reason.CAUSE_MENDED
            other.resume(halts[1], why, twin.line("ada"), office.sign("ada", ledger.halt_message(halts[0])))


def unnamed(patch: pytest.MonkeyPatch) -> None:
    """Decisions as the version before made them: without a home."""
    patch.setattr(review, "home_id", lambda _session: None)


def test_decisions_of_before_count_on_beside_those_that_name_the_home(
    ledger: Ledger, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(ledger, INTAKE, "TOO_MANY_INCOMPLETE")
    with monkeypatch.context() as before:
        unnamed(before)
        assert hand_in(ledger, office, "ada", signed(ledger, office, "ada")) is State.HELD
    assert ledger.verify() == []
    assert hand_in(ledger, office, "ben", signed(ledger, office, "ben")) is State.RECEIVED
    assert ledger.verify() == []


def test_none_without_a_home_comes_after_one_that_names_it(
    ledger: Ledger, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(ledger, INTAKE, "TOO_MANY_INCOMPLETE")
    hand_in(ledger, office, "ada", signed(ledger, office, "ada"))
    unnamed(monkeypatch)
    hand_in(ledger, office, "ben", signed(ledger, office, "ben"))
    monkeypatch.undo()
    assert [one.what for one in ledger.verify()] == ["its signatures do not say for which home they are"]


@pytest.mark.parametrize(("under", "handed"), [(NOTE, OTHER), (NOTE, None), (None, NOTE)])
def test_words_are_neither_exchanged_nor_taken_away_nor_put_under_it_later(
    ledger: Ledger, office: Office, under: str | None, handed: str | None
) -> None:
    held(ledger, INTAKE, "TOO_MANY_INCOMPLETE")
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        hand_in(ledger, office, "ada", signed(ledger, office, "ada", under), handed)
    assert ledger.decisions("batch-1") == []


def test_what_is_no_digest_never_gets_in(ledger: Ledger, office: Office) -> None:
    held(ledger, INTAKE, "TOO_MANY_INCOMPLETE")
    with pytest.raises(Fault, match="UNSAFE_DIGEST"):
        hand_in(ledger, office, "ada", signed(ledger, office, "ada", "Zebulon"), "Zebulon")
    with pytest.raises(Fault, match="UNSAFE_DIGEST"):
        ledger.halt("ada", Reason.NOT_VALID, "Zebulon")


def notes(ledger: Ledger, who: str, batch: str | None = "batch-1") -> list[tuple[str, str]]:
    return [(one.by, one.digest) for one in ledger.notes(batch, who)]


def test_nobody_reads_what_another_wrote_before_both_have_spoken(ledger: Ledger, office: Office) -> None:
    held(ledger, INTAKE, "TOO_MANY_INCOMPLETE")
    hand_in(ledger, office, "ada", signed(ledger, office, "ada", NOTE), NOTE)
    assert notes(ledger, "ada") == [("ada", NOTE)] and notes(ledger, "ben") == notes(ledger, "cleo") == []
    hand_in(ledger, office, "ben", signed(ledger, office, "ben", OTHER), OTHER)
    assert notes(ledger, "cleo") == [("ada", NOTE), ("ben", OTHER)]
    assert ledger.noted() == {NOTE, OTHER} == set(ledger.noted_on("batch-1")) and ledger.verify() == []


def test_what_was_taken_back_stays_unread_until_it_is_decided(ledger: Ledger, office: Office) -> None:
    held(ledger, INTAKE, "TOO_MANY_INCOMPLETE")
    hand_in(ledger, office, "ada", signed(ledger, office, "ada", NOTE), NOTE)
    withdraw(ledger, ledger.waiting_decision("batch-1", "ada"), office.keys["ada"], OTHER)
    assert notes(ledger, "ben") == [] and notes(ledger, "ada") == [("ada", NOTE), ("ada", OTHER)]
    said = office.sign("ben", ledger.decision_message("batch-1", REJECT))
    ledger.decide("batch-1", INTAKE, ROWS, REJECT, Reason.NOT_VALID, office.line("ben"), said)
    assert notes(ledger, "ben") == [("ada", NOTE), ("ada", OTHER)] and ledger.verify() == []


def test_notes_on_halts_are_read_once_it_is_lifted(ledger: Ledger, office: Office) -> None:
    halt = ledger.halt("ada", Reason.SUSPECTED_FAULT, NOTE)
    assert notes(ledger, "ben", None) == [("ada", NOTE)]  # why it was halted is for all
    assert not resume(ledger, halt, office.keys["cleo"], Reason.CAUSE_MENDED, OTHER)
    assert notes(ledger, "ben", None) == [("ada", NOTE)]
    assert resume(ledger, halt, office.keys["ben"], Reason.CAUSE_MENDED)
    assert notes(ledger, "ben", None) == [("ada", NOTE), ("cleo", OTHER)] and ledger.verify() == []


@pytest.mark.parametrize("role", Role)
def test_each_look_is_an_event_and_takes_a_role(ledger: Ledger, office: Office, role: Role) -> None:
    held(ledger, INTAKE, "TOO_MANY_INCOMPLETE")
    office.give("cleo", role, by=("ada", "ben"))
    looks: list[Callable[[], Any]] = [lambda: ledger.audit_notes("batch-1", "cleo")]
    looks.append(lambda: ledger.audit_notes(None, "cleo"))
    may = role in (Role.OPERATOR, Role.APPROVER, Role.AUDITOR)
    for look in looks:
        if may:
            look()
        else:
            with pytest.raises(NotYourRole):
                look()
    kinds = [event.kind for event in ledger.links()]
    assert (kinds.count("view"), kinds.count("denied")) == ((2, 0) if may else (0, 2)) and ledger.verify() == []
