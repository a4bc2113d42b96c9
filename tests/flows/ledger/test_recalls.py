"""Recall cases in the ledger: opened once, moved by proofs that count, and nothing of it changed unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from expectations.base import signatures
from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput, Fault, Usage
from flows.ledger.case_records import ATTESTATION, CaseRecord, NewCase
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.cases import CaseReason, CaseState, Proof, message
from tests.factories.ledgers import Office, pairs, published, sealed, sha
from tests.factories.submissions import INSTRUMENTS
from tests.flows.ledger.conftest import DATABASES, empty
from tests.flows.ledger.test_chain import tamper

TEXT = b"we attest\n"
RECIPIENT = Office.new_key()


def agreement(key: object = RECIPIENT) -> bytes:
    """The agreement of the batches, `mou`, with the recipient's key."""
    text = (INSTRUMENTS / "sandbox-2026.toml.in").read_text().replace('"sandbox-2026"', '"mou"')
    line = signatures.public_line(key)  # type: ignore[arg-type]
    return text.replace("{signing_key}", line).replace("{recipient}", "age1x").encode()


def new(case: str = "c-1", *batches: str, **changes: object) -> NewCase:
    found = NewCase(
        case,
        "agency",
        "mou",
        CaseReason.LOOKBACK,
        datetime(2026, 3, 3, tzinfo=UTC),
        dict.fromkeys(batches or ("batch-1",), 1),
        {"NO_NUMBER": 1},
        sha("affected"),
    )
    return NewCase(**{**vars(found), **changes})  # type: ignore[arg-type]


def take(
    office: Office,
    proof: Proof,
    who: str = "ada",
    rests_on: str = "",
    signs: Mapping[str, object] = MappingProxyType({}),
) -> CaseRecord:
    """Takes a step signed by an operator over itself, or over what `signs` says instead."""
    digest = rests_on or sha(proof)
    now = office.ledger.case("c-1")
    said = {"case": "c-1", "proof": proof.value, "after": now.seq, "rests_on": digest, **signs}
    signature = office.sign(who, message(**said), signatures.RECALL)  # type: ignore[arg-type]
    documents = {ATTESTATION: of_bytes(TEXT)} if proof is Proof.LOG else {}
    return office.ledger.take("c-1", proof, lambda *_: {"documents": documents}, digest, signature)


def attestation(text: bytes = TEXT, key: object = RECIPIENT, namespace: str = signatures.ATTESTATION) -> str:
    return signatures.sign(text, key, namespace)  # type: ignore[arg-type]


def closed(office: Office) -> None:
    """Drives a new case to its end."""
    office.ledger.open_case(new(), pairs("batch-1"), "ada")
    for proof in (Proof.LIST, Proof.NOTICE, Proof.COPIES, Proof.PART, Proof.LOG):
        take(office, proof)
    office.ledger.attest("c-1", TEXT, attestation())
    for who in ("ada", "ben"):
        take(office, Proof.REVIEW, who)


@pytest.fixture
def disclosed(office: Office, tmp_path: Path) -> Office:
    """Two published batches with a disclosure each, and one that was never released."""
    office.enrol(agreement())
    for batch in ("batch-1", "batch-2"):
        sealed(office.ledger, batch)
        published(office.ledger, tmp_path, batch)
    sealed(office.ledger, "batch-3")
    return office


def test_a_case_runs_from_found_to_closed(disclosed: Office) -> None:
    closed(disclosed)
    found = disclosed.ledger.case("c-1")
    states = [s.state.value for s in found.steps]
    assert states == [
        "found",
        "frozen",
        "notified",
        "copies_enumerated",
        "copies_enumerated",
        "disposed",
        "attested",
        "closed",
    ]
    assert disclosed.ledger.verify() == [] and found.rows == 1
    assert list(disclosed.ledger.disclosed("agency", "mou")) != []  # the claim stays: a new request needs a new id


def test_opening_again_changes_nothing_and_no_disclosure_is_recalled_twice(disclosed: Office) -> None:
    ledger = disclosed.ledger
    assert ledger.open_case(new(), pairs("batch-1"), "ada") == frozenset()
    head = ledger.head()
    assert ledger.open_case(new(), pairs("batch-1"), "ada") == frozenset()
    both = new("c-2", "batch-1", "batch-2")
    assert ledger.open_case(both, pairs("batch-1", "batch-2"), "ada") == {pairs("batch-1")[0][0]}
    assert ledger.head() == head
    assert ledger.open_case(new("c-2", "batch-2"), pairs("batch-2"), "ada") == frozenset()
    assert [c.id for c in ledger.cases()] == ["c-1", "c-2"]


@pytest.mark.parametrize(
    ("case", "rows", "code"),
    [
        (new("c-1", "batch-3"), pairs("batch-3"), "NOT_PUBLISHED"),
        (new("c-1", "batch-9"), pairs("batch-9"), "UNKNOWN_BATCH"),
        (new(), pairs("never"), "NOT_DISCLOSED"),
        (new(), pairs("batch-2"), "NOT_DISCLOSED"),  # of another batch
        (new(), [(pairs("batch-1")[0][0], sha("another person"))], "NOT_DISCLOSED"),
        (new(batches={"batch-1": 2}), pairs("batch-1"), "NOT_DISCLOSED"),
        (new(agreement="other"), pairs("batch-1"), "NOT_DISCLOSED"),
    ],
)
def test_only_what_was_disclosed_is_recalled(
    disclosed: Office, case: NewCase, rows: list[tuple[str, str]], code: str
) -> None:
    head = disclosed.ledger.head()
    with pytest.raises((Usage, Fault), match=code):
        disclosed.ledger.open_case(case, rows, "ada")
    assert disclosed.ledger.head() == head and disclosed.ledger.cases() == []


FORGED = {
    "another case": {"case": "c-2"},
    "another step": {"proof": "copies"},
    "another proof": {"rests_on": sha("x")},
    "of a step before": {"after": 1},
}


@pytest.mark.parametrize("signs", FORGED.values(), ids=FORGED)
def test_a_signature_counts_for_one_step_of_one_case_only(disclosed: Office, signs: dict[str, object]) -> None:
    disclosed.ledger.open_case(new(), pairs("batch-1"), "ada")
    take(disclosed, Proof.LIST)
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        take(disclosed, Proof.NOTICE, signs=signs)
    assert disclosed.ledger.case("c-1").state is CaseState.FROZEN


def test_no_stranger_and_no_other_namespace_counts(disclosed: Office) -> None:
    disclosed.ledger.open_case(new(), pairs("batch-1"), "ada")
    now = take(disclosed, Proof.LIST)
    said = message("c-1", "notice", now.seq, sha("notice"))
    for signature, code in (
        (signatures.sign(said, Office.new_key(), signatures.RECALL), "KEY_NOT_ENROLLED"),
        (disclosed.sign("ada", said, signatures.DECISION), "WRONG_NAMESPACE"),
        ("nothing", "NO_SIGNATURE"),
    ):
        with pytest.raises(BadInput, match=code):
            disclosed.ledger.take("c-1", Proof.NOTICE, lambda *_: {}, sha("notice"), signature)
    disclosed.revoke("cleo")
    with pytest.raises(BadInput, match="OPERATOR_REVOKED"):
        take(disclosed, Proof.NOTICE, "cleo")


def test_closing_takes_two_different_operators_who_sign_the_same(disclosed: Office) -> None:
    ledger = disclosed.ledger
    ledger.open_case(new(), pairs("batch-1"), "ada")
    for proof in (Proof.LIST, Proof.NOTICE, Proof.COPIES, Proof.LOG):
        take(disclosed, proof)
    ledger.attest("c-1", TEXT, attestation())
    assert take(disclosed, Proof.REVIEW).state is CaseState.ATTESTED and ledger.signers() == {"c-1": ["ada"]}
    with pytest.raises(BadInput, match="SIGNED_ALREADY"):
        take(disclosed, Proof.REVIEW)
    assert take(disclosed, Proof.REVIEW, "ben", rests_on=sha("something else")).state is CaseState.ATTESTED
    assert take(disclosed, Proof.REVIEW, "ben").state is CaseState.CLOSED
    assert ledger.verify() == []


ATTESTED = {
    "another key": (TEXT, attestation(key=Office.new_key()), "NOT_ATTESTED"),
    "another text signed": (TEXT, attestation(b"another"), "NOT_ATTESTED"),
    "another text handed in": (b"another", attestation(b"another"), "OTHER_TEXT"),
    "a letter's signature": (TEXT, attestation(namespace=signatures.LETTER), "NOT_ATTESTED"),
    "no signature": (TEXT, "nothing", "NOT_ATTESTED"),
}


@pytest.mark.parametrize(("text", "signature", "code"), ATTESTED.values(), ids=ATTESTED)
def test_a_forged_or_replayed_attestation_does_not_count(
    disclosed: Office, text: bytes, signature: str, code: str
) -> None:
    disclosed.ledger.open_case(new(), pairs("batch-1"), "ada")
    for proof in (Proof.LIST, Proof.NOTICE, Proof.COPIES, Proof.LOG):
        take(disclosed, proof)
    with pytest.raises(BadInput, match=code):
        disclosed.ledger.attest("c-1", text, signature)
    assert disclosed.ledger.case("c-1").state is CaseState.DISPOSED


def test_the_key_of_the_newest_agreement_counts(disclosed: Office) -> None:
    disclosed.ledger.open_case(new(), pairs("batch-1"), "ada")
    for proof in (Proof.LIST, Proof.NOTICE, Proof.COPIES, Proof.LOG):
        take(disclosed, proof)
    later = Office.new_key()
    disclosed.enrol(agreement(later))
    with pytest.raises(BadInput, match="NOT_ATTESTED"):
        disclosed.ledger.attest("c-1", TEXT, attestation())
    assert disclosed.ledger.attest("c-1", TEXT, attestation(key=later)).state is CaseState.ATTESTED
    disclosed.enrol(agreement())
    assert disclosed.ledger.verify() == []  # judged by the version of that time


def test_what_the_judge_refuses_is_not_written(disclosed: Office) -> None:
    disclosed.ledger.open_case(new(), pairs("batch-1"), "ada")
    head = disclosed.ledger.head()

    def refuse(*_: object) -> dict[str, object]:
        raise Usage("NO", "no")

    with pytest.raises(Usage, match="NO"):
        disclosed.ledger.take("c-1", Proof.LIST, refuse, sha("list"))
    assert disclosed.ledger.head() == head


@pytest.fixture(scope="module", params=DATABASES)
def over(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger with a case that was closed, to be tampered with."""
    folder = tmp_path_factory.mktemp("over")
    with Ledger.open(empty(request.param, request, folder)) as ledger:
        office = Office(ledger, "ada", "ben", "cleo")
        office.enrol(agreement())
        sealed(ledger)
        published(ledger, folder, "batch-1")
        closed(office)
        assert ledger.verify() == []
        yield ledger
        assert ledger.verify() == []


CASE, CLAIMS = "recall case c-1", "claims of recall case c-1"
TAMPERED = [
    ("UPDATE recall_cases SET state = 'found'", CASE),
    ("DELETE FROM recalled; DELETE FROM signatures; DELETE FROM recall_cases", CASE),
    (
        (
            "INSERT INTO recall_cases SELECT 'c-2', requester, agreement, reason, discovered_at, batches, codes,"
            " affected, state, seq FROM recall_cases"
        ),
        "recall case c-2",
    ),
    ("DELETE FROM recalled", CLAIMS),
    (f"UPDATE recalled SET request_key = '{sha('x')}'", CLAIMS),
    (f"INSERT INTO recalled VALUES ('agency', 'mou', '{sha('x')}', 'c-1')", CLAIMS),
]


@pytest.mark.parametrize(("statement", "place"), TAMPERED)
def test_a_row_changed_dropped_or_put_in_is_found(over: Ledger, statement: str, place: str) -> None:
    assert any(found.startswith(place) for found in tamper(over, *statement.split("; ")))


def test_a_step_that_could_not_be_taken_is_found_even_in_a_whole_chain(over: Ledger) -> None:
    from flows.ledger.chain import append
    from tests.flows.ledger.test_chain import places, undone

    for facts in (
        '{"case":"c-1","proof":"review","rests_on":"x","start":"closed","step":"closed"}',
        '{"case":"c-1","proof":"notice","rests_on":"x","start":"closed","step":"notified"}',
    ):
        with undone(over) as session:
            event = append(session, over.now(), None, "recall", facts)
            assert places(session)[0] == f"event {event.seq}"
