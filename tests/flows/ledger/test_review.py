"""Decisions: the table, who may sign, how many must, and what a stale or replayed signature gets."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

import pytest

from expectations import codes
from expectations.base import signatures
from expectations.base.errors import BadInput, Usage
from flows.ledger.decisions import Decision, Reason, allowed
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from tests.factories.ledgers import ROWS, Office, receive

REJECT, RETRY, DROP, CONFIRM = Decision.REJECT, Decision.RETRY, Decision.DROP, Decision.CONFIRM
INTAKE, MATCHING = Checkpoint.INTAKE, Checkpoint.MATCHING


def held(ledger: Ledger, checkpoint: Checkpoint = INTAKE, code: str = "TOO_MANY_INCOMPLETE") -> None:
    receive(ledger)
    for state in (State.INGESTED, State.MATCHED, State.VALIDATED)[: list(Checkpoint).index(checkpoint)]:
        ledger.advance("batch-1", state)
    ledger.hold("batch-1", checkpoint, ROWS, [code])


@pytest.mark.parametrize(
    ("checkpoint", "names", "expected"),
    [
        (INTAKE, ["TOO_MANY_INCOMPLETE"], {REJECT, DROP}),
        (INTAKE, ["COURT_ORDER"], {REJECT}),
        (INTAKE, ["TOO_MANY_INCOMPLETE", "BOILERPLATE_REASONS"], {REJECT}),
        (INTAKE, ["TOO_MANY_INCOMPLETE", "COUNTS_DIFFER"], {REJECT}),
        (Checkpoint.ELIGIBILITY, ["TOO_MANY_INCOMPLETE"], {REJECT}),
        (MATCHING, ["MATCH_RATE"], {REJECT, RETRY, CONFIRM}),
        (Checkpoint.ELIGIBILITY, ["MATCH_RATE"], {REJECT, RETRY}),
        (MATCHING, ["TIER_MIX"], {REJECT, RETRY, CONFIRM}),
        (MATCHING, ["MATCH_RATE", "TIER_MIX"], {REJECT, RETRY, CONFIRM}),
        (MATCHING, ["MATCH_RATE", "DECOY_WRONG"], {REJECT, RETRY}),
        (MATCHING, ["DECOY_WRONG"], {REJECT, RETRY}),
        (Checkpoint.ELIGIBILITY, ["NOT_CORROBORATED"], {REJECT, RETRY}),
        (Checkpoint.DISCLOSURE, ["PACKAGE_DIFFERS"], {REJECT, RETRY}),
        (INTAKE, [], {REJECT, RETRY}),
    ],
)
def test_the_table_of_decisions(checkpoint: Checkpoint, names: list[str], expected: set[Decision]) -> None:
    assert allowed(checkpoint, names) == expected


def test_every_code_can_be_rejected_and_more_codes_never_allow_more() -> None:
    for checkpoint, (a, b) in itertools.product(Checkpoint, itertools.pairwise(codes.CODES)):
        both = allowed(checkpoint, [a, b])
        assert REJECT in both
        assert both == allowed(checkpoint, [a]) & allowed(checkpoint, [b])
        assert Decision.RESUME not in both


def test_a_drop_needs_two_operators(ledger: Ledger, office: Office) -> None:
    held(ledger)
    assert office.decide("ada", "batch-1", INTAKE, DROP) is State.HELD
    assert not ledger.granted("batch-1", INTAKE, ROWS, DROP)
    with pytest.raises(BadInput, match="DECIDED_ALREADY"):
        office.decide("ada", "batch-1", INTAKE, DROP)
    assert office.decide("ben", "batch-1", INTAKE, DROP) is State.RECEIVED
    assert ledger.granted("batch-1", INTAKE, ROWS, DROP)
    assert not ledger.granted("batch-1", INTAKE, "d" * 64, DROP)
    assert [(d.operator, d.granted) for d in ledger.decisions("batch-1")] == [("ada", True), ("ben", True)]
    assert ledger.verify() == []


def test_two_different_decisions_do_not_add_up(ledger: Ledger, office: Office) -> None:
    held(ledger, MATCHING, "MATCH_RATE")
    assert office.decide("ada", "batch-1", MATCHING, CONFIRM) is State.HELD
    assert office.decide("ben", "batch-1", MATCHING, RETRY) is State.INGESTED
    assert not ledger.granted("batch-1", MATCHING, ROWS, CONFIRM)


def test_a_rejection_ends_the_batch(ledger: Ledger, office: Office) -> None:
    held(ledger)
    assert office.decide("cleo", "batch-1", INTAKE, REJECT) is State.REJECTED
    with pytest.raises(Usage, match="NOT_HELD"):
        ledger.decision_message("batch-1", DROP)
    assert ledger.allowed_decisions("batch-1") == frozenset()


def test_the_table_is_kept(ledger: Ledger, office: Office) -> None:
    held(ledger)
    assert ledger.allowed_decisions("batch-1") == {REJECT, DROP}
    with pytest.raises(Usage, match=r"NOT_ALLOWED.*Open: drop, reject"):
        office.decide("ada", "batch-1", INTAKE, CONFIRM)


def test_a_stale_decision_is_refused(ledger: Ledger, office: Office) -> None:
    held(ledger)
    with pytest.raises(Usage, match="STALE_DECISION"):
        office.decide("ada", "batch-1", INTAKE, DROP, content_digest="d" * 64)
    with pytest.raises(Usage, match="STALE_DECISION"):
        office.decide("ada", "batch-1", MATCHING, DROP)


def test_a_signature_counts_for_one_hold_only(ledger: Ledger, office: Office) -> None:
    held(ledger, MATCHING, "MATCH_RATE")
    old = office.sign("ada", ledger.decision_message("batch-1", CONFIRM))
    assert office.decide("ben", "batch-1", MATCHING, RETRY) is State.INGESTED
    ledger.hold("batch-1", MATCHING, ROWS, ["MATCH_RATE"])  # the same rows, held again
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.decide("batch-1", MATCHING, ROWS, CONFIRM, Reason.RATE_EXPLAINED, office.line("ada"), old)
    assert office.decide("ben", "batch-1", MATCHING, RETRY) is State.INGESTED  # signed anew


@pytest.mark.parametrize("wrong", ["decision", "batch", "key", "namespace", "garbage"])
def test_a_signature_over_something_else_is_refused(ledger: Ledger, office: Office, wrong: str) -> None:
    held(ledger)
    said = ledger.decision_message("batch-1", DROP)
    signature = {
        "decision": lambda: office.sign("ada", ledger.decision_message("batch-1", REJECT)),
        "batch": lambda: office.sign("ada", said.replace(b"batch-1", b"batch-2")),
        "key": lambda: office.sign("ben", said),
        "namespace": lambda: office.sign("ada", said, signatures.LETTER),
        "garbage": lambda: "-----BEGIN SSH SIGNATURE-----",
    }[wrong]()
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.decide("batch-1", INTAKE, ROWS, DROP, Reason.INCOMPLETE_ROWS, office.line("ada"), signature)
    assert ledger.decisions("batch-1") == []


def test_only_enrolled_operators_sign(ledger: Ledger, office: Office) -> None:
    held(ledger)
    office.decide("ada", "batch-1", INTAKE, DROP)
    office.revoke("ben")
    with pytest.raises(BadInput, match="OPERATOR_REVOKED"):
        office.decide("ben", "batch-1", INTAKE, DROP)
    with pytest.raises(BadInput, match="KEY_NOT_ED25519"):
        ledger.decide("batch-1", INTAKE, ROWS, DROP, Reason.INCOMPLETE_ROWS, "ssh-rsa AAAA", "")
    assert ledger.batch("batch-1").state is State.HELD  # type: ignore[union-attr]


def test_one_halts_and_two_resume(ledger: Ledger, office: Office) -> None:
    halt = ledger.halt("ada", Reason.SUSPECTED_FAULT)
    assert [h.operator for h in ledger.halts()] == ["ada"]
    said = ledger.halt_message(halt)
    assert not ledger.resume(halt, Reason.CAUSE_MENDED, office.line("ada"), office.sign("ada", said))
    with pytest.raises(BadInput, match="DECIDED_ALREADY"):
        ledger.resume(halt, Reason.CAUSE_MENDED, office.line("ada"), office.sign("ada", said))
    assert ledger.halts()
    assert ledger.resume(halt, Reason.CAUSE_MENDED, office.line("ben"), office.sign("ben", said))
    assert not ledger.halts()
    with pytest.raises(Usage, match="NO_SUCH_HALT"):
        ledger.resume(halt, Reason.CAUSE_MENDED, office.line("cleo"), office.sign("cleo", said))
    assert ledger.verify() == []


@pytest.mark.outside
def test_a_decision_signed_by_ssh_keygen_counts(ledger: Ledger, tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed here")
    key, said = tmp_path / "key", tmp_path / "decision"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada@holder", "-f", key], check=True)
    ledger.enrol_operator("ada", key.with_suffix(".pub").read_text())
    held(ledger)
    said.write_bytes(ledger.decision_message("batch-1", REJECT))
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", signatures.DECISION, "-f", key, said], check=True)
    signature = said.with_suffix(".sig").read_text()
    line = key.with_suffix(".pub").read_text()
    state = ledger.decide("batch-1", INTAKE, ROWS, REJECT, Reason.NOT_VALID, line, signature)
    assert state is State.REJECTED and ledger.verify() == []
