"""The later steps of a case: each takes a proof, stores it sealed, and is signed by an operator or by the recipient.

A disposal is judged on the day, under the ledger's lock: while an order in force says that what was disclosed must be kept as
it is, none is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import signatures
from expectations.clock import Clock
from expectations.digests import of_bytes, of_json
from expectations.errors import BadInput, Forbidden, Usage
from expectations.total import total
from flows import enrolled
from flows.cases import deadlines, documents, forms, opening, places
from flows.home import Home
from flows.ledger import Ledger
from flows.ledger.case_records import ATTESTATION, CaseRecord
from flows.ledger.cases import DISPOSALS, CaseState, Proof, after, message


class Step(StrEnum):
    """What an operator can do next."""

    FROZEN = "frozen"  # go on where opening was interrupted
    NOTIFIED = "notified"
    COPIES = "copies"
    DISPOSED = "disposed"
    RETURNED = "returned"
    ATTESTED = "attested"
    CLOSED = "closed"


@dataclass(frozen=True)
class HandedIn:
    """What was handed in: the bytes of a file and its name, and the operator's key. `plain`: a folder for plaintext."""

    home: Home
    ledger: Ledger
    plain: Path
    data: bytes
    name: str
    key: Ed25519PrivateKey | None

    def sign(self, case: CaseRecord, proof: Proof, rests_on: str) -> str:
        """The operator's signature over this step of this case."""
        if self.key is None:
            raise Usage("KEY_NEEDED", "an operator signs this step", remedy="Give --key.")
        return signatures.sign(message(case.id, proof, case.seq, rests_on), self.key, signatures.RECALL)

    def setting(self, case: CaseRecord) -> documents.Setting:
        """What the documents of this step are made from."""
        return documents.Setting.of(self.home, self.ledger.clock, self.ledger, case)


def advance(
    home: Home, clock: Clock, id: str, step: Step, file: Path | None = None, key: Ed25519PrivateKey | None = None
) -> CaseRecord:
    """Takes a step of a case with its proof; gives the case as it is then. A proof that was taken before changes nothing.

    Raises Usage if the case does not wait for this step, BadInput if the proof or the signature does not count, Forbidden
    if an order in force forbids it.
    """
    with places.one_at_a_time(home) as plain, Ledger.open(home.ledger_url, clock) as ledger:
        case = ledger.case(id)
        hand = HandedIn(home, ledger, plain, _read(file, step), file.name if file else "", key)
        if any(s.proof in _PROOFS[step] and s.rests_on == of_bytes(hand.data) for s in case.steps):
            return case
        return _STEPS[step](hand, case)


def issue(home: Home, clock: Clock, id: str) -> CaseRecord:
    """Issues what the instruments in force ask for now: the disposal notice once nothing forbids it, or its recall."""
    with places.one_at_a_time(home), Ledger.open(home.ledger_url, clock) as ledger:
        setting = documents.Setting.of(home, clock, ledger, ledger.case(id))
        return ledger.issue(id, lambda case, state, bodies: documents.issue(setting, case, state, bodies))


def _frozen(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    return opening.freeze(hand.home, hand.ledger, case, hand.plain)


def _notified(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    return _take(hand, case, Proof.NOTICE, {})


def _copies(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    found = forms.copies(hand.data, hand.name, _listed(hand, case))
    counts = {
        "copies": len(found),
        "rows": sum(c.rows for c in found),
        "derived": sum(bool(c.derived_from) for c in found),
    }
    return _take(hand, case, Proof.COPIES, counts)


def _dispose(hand: HandedIn, case: CaseRecord, *, returned: bool) -> CaseRecord:
    after(case.state, Proof.PART)
    agreement = enrolled.newest(hand.ledger).agreements[case.agreement]
    listed = {c.id for c in _listed(hand, case)}
    before = [d for digest in _logs(case) for d in _log(hand, case, digest)]
    today = hand.ledger.clock.today(agreement.zone)
    done = [*before, *forms.disposals(hand.data, hand.name, listed, {d.copy_id for d in before}, today, returned)]
    proof = Proof.PART
    if len(done) == len(listed):
        proof = Proof.RECEIPT if all(d.method == forms.RETURNED for d in done) else Proof.LOG
    counts = {"copies": len(listed), "disposed": len(done)}
    logs = {**counts, "list": _list_digest(case), "logs": [*_logs(case), of_bytes(hand.data)]}
    return _take(hand, case, proof, counts, logs)


def _attested(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    text = places.folder(hand.home, case.id) / ATTESTATION
    if not text.is_file():
        raise Usage(
            "NOT_ISSUED", "no attestation was issued to the recipient yet", remedy="See sluicegate recall show."
        )
    return hand.ledger.attest(case.id, text.read_bytes(), hand.data.decode("utf-8", errors="replace"))


def _closed(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    rests_on = of_json([[s.seq, s.state, s.rests_on, dict(s.documents)] for s in case.steps])
    setting, signature = hand.setting(case), hand.sign(case, Proof.REVIEW, rests_on)
    return hand.ledger.take(case.id, Proof.REVIEW, lambda *now: documents.issue(setting, *now), rests_on, signature)


# The kinds of proof that the file of a step may be; none where a step takes no file as its proof.
_PROOFS: Mapping[Step, frozenset[Proof]] = total(
    Step,
    {
        Step.FROZEN: frozenset(),
        Step.NOTIFIED: frozenset({Proof.NOTICE}),
        Step.COPIES: frozenset({Proof.COPIES}),
        Step.DISPOSED: DISPOSALS,
        Step.RETURNED: DISPOSALS,
        Step.ATTESTED: frozenset(),
        Step.CLOSED: frozenset(),
    },
)
_STEPS: Mapping[Step, Callable[[HandedIn, CaseRecord], CaseRecord]] = total(
    Step,
    {
        Step.FROZEN: _frozen,
        Step.NOTIFIED: _notified,
        Step.COPIES: _copies,
        Step.DISPOSED: partial(_dispose, returned=False),
        Step.RETURNED: partial(_dispose, returned=True),
        Step.ATTESTED: _attested,
        Step.CLOSED: _closed,
    },
)


def _take(
    hand: HandedIn, case: CaseRecord, proof: Proof, counts: Mapping[str, Any], logs: Mapping[str, Any] | None = None
) -> CaseRecord:
    """Stores the file as proof, and takes the step that rests on it."""
    setting = hand.setting(case)

    def judge(now: CaseRecord, end: CaseState, bodies: Sequence[bytes]) -> Mapping[str, Any]:
        if proof in DISPOSALS:
            _check_disposal(hand.ledger.clock, now, bodies)
        return {**counts, **documents.issue(setting, now, end, bodies, logs)}

    signature = hand.sign(case, proof, of_bytes(hand.data))
    rests_on = places.store_proof(hand.home, case.id, hand.data, hand.plain)
    return hand.ledger.take(case.id, proof, judge, rests_on, signature)


def _check_disposal(clock: Clock, case: CaseRecord, bodies: Sequence[bytes]) -> None:
    keeps = deadlines.keeping(enrolled.read(bodies), case.agreement, clock)
    if keeps:
        raise Forbidden(
            "DISPOSAL_FORBIDDEN",
            "what was disclosed must be kept as it is, by order",
            where=", ".join(keeps),
            remedy="It waits until the order is lifted, or another order names it in disposal_despite.",
        )


def _listed(hand: HandedIn, case: CaseRecord) -> list[forms.Copy]:
    """The newest list of copies; none before the first."""
    digest = _list_digest(case)
    if digest is None:
        return []
    return forms.copies(places.open_proof(hand.home, case.id, digest, hand.plain), "stored list of copies")


def _log(hand: HandedIn, case: CaseRecord, digest: str) -> list[forms.Disposal]:
    return forms.log(places.open_proof(hand.home, case.id, digest, hand.plain), "stored disposal log")


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
