"""The later steps of a case: each takes a proof, keeps it sealed, and is signed by an operator or by the recipient.

A disposal is judged on the day, under the ledger's lock: while an order in force says that what was disclosed is kept as it is,
none is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import signatures
from expectations.clock import Clock
from expectations.digests import of_bytes, of_json
from expectations.errors import BadInput, Forbidden, Usage
from flows.cases import deadlines, documents, forms, opening, places
from flows.cases.steps import Step
from flows.home import Home
from flows.ledger import Ledger
from flows.ledger.case_records import ATTESTATION, CaseRecord
from flows.ledger.cases import DISPOSALS, CaseState, Proof, after, message


@dataclass(frozen=True)
class Hand:
    """What was handed in: the bytes of a file and its name, and the operator's key."""

    home: Home
    ledger: Ledger
    view: Path
    data: bytes
    name: str
    key: Ed25519PrivateKey | None

    def sign(self, case: CaseRecord, proof: Proof, rests_on: str) -> str:
        """The operator's signature over this step of this case."""
        if self.key is None:
            raise Usage("KEY_NEEDED", "an operator signs this step", remedy="Give --key.")
        return signatures.sign(message(case.id, proof, case.seq, rests_on), self.key, signatures.RECALL)


def advance(
    home: Home, clock: Clock, id: str, step: Step, file: Path | None = None, key: Ed25519PrivateKey | None = None
) -> CaseRecord:
    """Takes a step of a case with its proof; gives the case as it is then. A proof that was taken before changes nothing.

    Raises Usage if the case does not wait for this step, BadInput if the proof or the signature does not count, Forbidden
    if an order in force forbids it.
    """
    with places.at_work(home) as view, Ledger.open(home.ledger_url, clock) as ledger:
        case = ledger.case(id)
        hand = Hand(home, ledger, view, _read(file, step), file.name if file else "", key)
        if any(s.proof in _PROOFS[step] and s.rests_on == of_bytes(hand.data) for s in case.steps):
            return case
        return _STEPS[step](hand, case)


def issue(home: Home, clock: Clock, id: str) -> CaseRecord:
    """Issues what the instruments in force ask for now: the disposal notice once nothing forbids it, or its recall."""
    with places.at_work(home), Ledger.open(home.ledger_url, clock) as ledger:
        setting = documents.Setting.of(home, clock, ledger, ledger.case(id))
        return ledger.issue(id, lambda case, state, bodies: documents.issue(setting, case, state, bodies))


def _frozen(hand: Hand, case: CaseRecord) -> CaseRecord:
    return opening.freeze(hand.home, hand.ledger, case, hand.view)


def _notified(hand: Hand, case: CaseRecord) -> CaseRecord:
    return _take(hand, case, Proof.NOTICE, {})


def _copies(hand: Hand, case: CaseRecord) -> CaseRecord:
    found = forms.copies(hand.data, hand.name, _listed(hand, case))
    said = {
        "copies": len(found),
        "rows": sum(c.rows for c in found),
        "derived": sum(bool(c.derived_from) for c in found),
    }
    return _take(hand, case, Proof.COPIES, said)


def _disposed(hand: Hand, case: CaseRecord) -> CaseRecord:
    return _dispose(hand, case, returned=False)


def _returned(hand: Hand, case: CaseRecord) -> CaseRecord:
    return _dispose(hand, case, returned=True)


def _dispose(hand: Hand, case: CaseRecord, *, returned: bool) -> CaseRecord:
    after(case.state, Proof.PART)
    clock = hand.ledger.clock
    agreement = places.agreement_of(hand.ledger, case.agreement)
    listed = {c.id for c in _listed(hand, case)}
    before = [d for digest in _logs(case) for d in _log(hand, case, digest)]
    today = clock.today(agreement.zone)
    new = forms.disposals(hand.data, hand.name, listed, {d.copy_id for d in before}, today, returned)
    done = [*before, *new]
    proof = Proof.PART
    if len(done) == len(listed):
        proof = Proof.RECEIPT if all(d.method == forms.RETURNED for d in done) else Proof.LOG
    said = {"copies": len(listed), "disposed": len(done)}
    return _take(
        hand, case, proof, said, {**said, "list": _list_digest(case), "logs": [*_logs(case), of_bytes(hand.data)]}
    )


def _attested(hand: Hand, case: CaseRecord) -> CaseRecord:
    text = places.folder(hand.home, case.id) / ATTESTATION
    if not text.is_file():
        raise Usage(
            "NOT_ISSUED", "no attestation was issued to the recipient yet", remedy="See sluicegate recall show."
        )
    return hand.ledger.attest(case.id, text.read_bytes(), hand.data.decode("utf-8", errors="replace"))


def _closed(hand: Hand, case: CaseRecord) -> CaseRecord:
    rests_on = of_json([[s.seq, s.state, s.rests_on, dict(s.documents)] for s in case.steps])
    setting = documents.Setting.of(hand.home, hand.ledger.clock, hand.ledger, case)
    return hand.ledger.take(
        case.id,
        Proof.REVIEW,
        lambda *now: documents.issue(setting, *now),
        rests_on,
        hand.sign(case, Proof.REVIEW, rests_on),
    )


# Of the steps that take a file as proof: what kinds of proof it may be.
_PROOFS: Mapping[Step, frozenset[Proof]] = {
    **dict.fromkeys(Step, frozenset()),
    Step.NOTIFIED: frozenset({Proof.NOTICE}),
    Step.COPIES: frozenset({Proof.COPIES}),
    **dict.fromkeys((Step.DISPOSED, Step.RETURNED), DISPOSALS),
}
_STEPS: Mapping[Step, Callable[[Hand, CaseRecord], CaseRecord]] = {
    Step.FROZEN: _frozen,
    Step.NOTIFIED: _notified,
    Step.COPIES: _copies,
    Step.DISPOSED: _disposed,
    Step.RETURNED: _returned,
    Step.ATTESTED: _attested,
    Step.CLOSED: _closed,
}


def _take(
    hand: Hand, case: CaseRecord, proof: Proof, said: Mapping[str, Any], logs: Mapping[str, Any] | None = None
) -> CaseRecord:
    """Keeps the file as proof, and takes the step that rests on it."""
    setting = documents.Setting.of(hand.home, hand.ledger.clock, hand.ledger, case)

    def judge(now: CaseRecord, end: CaseState, bodies: Sequence[bytes]) -> Mapping[str, Any]:
        if proof in DISPOSALS:
            _allowed(hand.ledger.clock, now, bodies)
        return {**said, **documents.issue(setting, now, end, bodies, logs)}

    signature = hand.sign(case, proof, of_bytes(hand.data))
    rests_on = places.keep_proof(hand.home, case.id, hand.data, hand.view)
    return hand.ledger.take(case.id, proof, judge, rests_on, signature)


def _allowed(clock: Clock, case: CaseRecord, bodies: Sequence[bytes]) -> None:
    keeps = deadlines.keeping(places.newest(case.agreement, list(bodies)), list(bodies), clock)
    if keeps:
        raise Forbidden("DISPOSAL_FORBIDDEN", "what was disclosed must be kept as it is, by order", where=", ".join(keeps),
                        remedy="It waits until the order is lifted, or another order names it in disposal_despite.")  # fmt: skip


def _listed(hand: Hand, case: CaseRecord) -> list[forms.Copy]:
    """The newest list of copies; none before the first."""
    digest = _list_digest(case)
    if digest is None:
        return []
    data = places.open_proof(hand.home, case.id, digest, hand.view)
    return forms.copies(data, "kept list of copies")


def _log(hand: Hand, case: CaseRecord, digest: str) -> list[forms.Disposal]:
    data = places.open_proof(hand.home, case.id, digest, hand.view)
    return forms.log(data, "kept disposal log")


def _list_digest(case: CaseRecord) -> str | None:
    return next((s.rests_on for s in reversed(case.steps) if s.proof is Proof.COPIES), None)


def _logs(case: CaseRecord) -> list[str]:
    return [s.rests_on for s in case.steps if s.proof in DISPOSALS and s.rests_on]


def _read(file: Path | None, step: Step) -> bytes:
    if step in (Step.FROZEN, Step.CLOSED):
        return b""
    if file is None:
        raise Usage(
            "FILE_NEEDED", "this step rests on a file", remedy="Give --file; sluicegate recall show says which."
        )
    try:
        return file.read_bytes()
    except OSError:
        raise BadInput("FILE_UNREADABLE", "the file cannot be read", where=file.name, remedy="Give its path.") from None
