"""The later steps of a case: each takes a proof, stores it sealed, and is signed by an operator or by the recipient. A
disposal is judged on the day, under the ledger's lock: while an order in force says that what was disclosed must be
kept as it is, none is taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.digests import of_bytes, of_json
from expectations.base.errors import BadInput, Forbidden, Usage
from expectations.base.total import total
from flows.cases import Step, deadlines, documents, forms, opening, places
from flows.cases.places import Desk
from flows.home.tree import Home
from flows.ledger.case_records import ATTESTATION, CaseRecord
from flows.ledger.lifecycles.cases import DISPOSALS, CaseState, Proof, after, message
from flows.registry import enrolled


@dataclass(frozen=True)
class HandedIn:
    """What was handed in, at whose desk: the bytes of a file and its name, and the operator's key."""

    desk: Desk
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
    """Takes a step of a case with its proof; gives the case as it is then. A proof that was taken before changes
    nothing. Raises Usage if the case does not wait for this step, BadInput if the proof or the signature does not
    count, Forbidden if an order in force forbids it."""
    with places.desk(home, clock) as desk:
        case = desk.ledger.case(id)
        hand = HandedIn(desk, _read(file, step), file.name if file else "", key)
        take, proofs = _STEPS[step]
        taken = any(s.proof in proofs and s.rests_on == of_bytes(hand.data) for s in case.steps)
        return case if taken else take(hand, case)


def issue(home: Home, clock: Clock, id: str) -> CaseRecord:
    """Issues what the instruments in force ask for now: the disposal notice once nothing forbids it, or its recall."""
    with places.desk(home, clock) as desk:
        setting = documents.Setting.of(home, desk.ledger, desk.ledger.case(id))
        return desk.ledger.issue(id, partial(documents.issue, setting))


def _copies(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    found = forms.copies(hand.data, hand.name, _listed(hand.desk, case))
    rows, derived = sum(c.rows for c in found), sum(bool(c.derived_from) for c in found)
    return _take(hand, case, Proof.COPIES, {"copies": len(found), "rows": rows, "derived": derived})


def _persons(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    today = hand.desk.ledger.clock.today(hand.desk.agreement(case.agreement).zone)
    found = forms.persons(hand.data, hand.name, case.rows, today)
    notified = sum(one.rows for one in found if one.notified_on is not None)
    return _take(hand, case, Proof.PERSONS, {"rows": case.rows, "notified": notified})


def _dispose(hand: HandedIn, case: CaseRecord, *, returned: bool) -> CaseRecord:
    after(case.state, Proof.PART)
    today = hand.desk.ledger.clock.today(hand.desk.agreement(case.agreement).zone)
    listed = {c.id for c in _listed(hand.desk, case)}
    earlier = [s.rests_on for s in case.steps if s.proof in DISPOSALS and s.rests_on]
    opened = (places.open_proof(hand.desk, case.id, digest) for digest in earlier)
    before = [d for data in opened for d in forms.log(data, "stored disposal log")]
    done = [*before, *forms.disposals(hand.data, hand.name, listed, {d.copy_id for d in before}, today, returned)]
    proof = Proof.PART
    if len(done) == len(listed):
        proof = Proof.RECEIPT if all(d.method == forms.RETURNED for d in done) else Proof.LOG
    counts = {"copies": len(listed), "disposed": len(done)}
    logs = {**counts, "list": _list_digest(case), "logs": [*earlier, of_bytes(hand.data)]}
    return _take(hand, case, proof, counts, logs)


def _attested(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    text = places.folder(hand.desk.home, case.id) / ATTESTATION
    if not text.is_file():
        raise Usage("NOT_ISSUED", "no attestation was issued yet", remedy="See sluicegate recall show.")
    return hand.desk.ledger.attest(case.id, text.read_bytes(), hand.data.decode("utf-8", errors="replace"))


def _closed(hand: HandedIn, case: CaseRecord) -> CaseRecord:
    if not any(s.proof is Proof.PERSONS for s in case.steps):
        unknown = "it is not recorded who notified the persons concerned, and when"
        remedy = f"sluicegate recall advance {case.id} persons --file RECORD --key KEY"
        raise Usage("PERSONS_NOT_NOTIFIED", unknown, where=case.id, remedy=remedy)
    rests_on = of_json([[s.seq, s.state, s.rests_on, dict(s.documents)] for s in case.steps])
    setting = documents.Setting.of(hand.desk.home, hand.desk.ledger, case)
    signature = hand.sign(case, Proof.REVIEW, rests_on)
    return hand.desk.ledger.take(case.id, Proof.REVIEW, partial(documents.issue, setting), rests_on, signature)


# How each step is taken, and the kinds of proof that its file may be; none where a step takes no file as its proof.
_STEPS: Mapping[Step, tuple[Callable[[HandedIn, CaseRecord], CaseRecord], frozenset[Proof]]] = total(
    Step,
    {
        Step.FROZEN: (lambda hand, case: opening.freeze(hand.desk, case), frozenset()),
        Step.NOTIFIED: (lambda hand, case: _take(hand, case, Proof.NOTICE, {}), frozenset({Proof.NOTICE})),
        Step.PERSONS: (_persons, frozenset({Proof.PERSONS})),
        Step.COPIES: (_copies, frozenset({Proof.COPIES})),
        Step.DISPOSED: (partial(_dispose, returned=False), DISPOSALS),
        Step.RETURNED: (partial(_dispose, returned=True), DISPOSALS),
        Step.ATTESTED: (_attested, frozenset()),
        Step.CLOSED: (_closed, frozenset()),
    },
)


def _take(
    hand: HandedIn, case: CaseRecord, proof: Proof, counts: Mapping[str, Any], logs: Mapping[str, Any] | None = None
) -> CaseRecord:
    """Stores the file as proof, and takes the step that rests on it."""
    desk = hand.desk
    setting = documents.Setting.of(desk.home, desk.ledger, case)

    def judge(now: CaseRecord, end: CaseState, bodies: Sequence[bytes]) -> Mapping[str, Any]:
        if proof in DISPOSALS and (keeps := deadlines.keeping(enrolled.read(bodies), now.agreement, desk.ledger.clock)):
            kept = "by order, what was disclosed must be kept"
            remedy = "Wait until the order is lifted, or until another order names it in disposal_despite."
            raise Forbidden("DISPOSAL_FORBIDDEN", kept, where=", ".join(keeps), remedy=remedy)
        return {**counts, **documents.issue(setting, now, end, bodies, logs)}

    signature = hand.sign(case, proof, of_bytes(hand.data))
    return desk.ledger.take(case.id, proof, judge, places.store_proof(desk, case.id, hand.data), signature)


def _listed(desk: Desk, case: CaseRecord) -> list[forms.Copy]:
    """The newest list of copies; none before the first."""
    digest = _list_digest(case)
    return forms.copies(places.open_proof(desk, case.id, digest), "stored list of copies") if digest else []


def _list_digest(case: CaseRecord) -> str | None:
    return next((s.rests_on for s in reversed(case.steps) if s.proof is Proof.COPIES), None)


def _read(file: Path | None, step: Step) -> bytes:
    if step in (Step.FROZEN, Step.CLOSED):
        return b""
    if file is None:
        raise Usage("FILE_NEEDED", "this step rests on a file", remedy="Give --file, as sluicegate recall show says.")
    try:
        return file.read_bytes()
    except OSError:
        raise BadInput("FILE_UNREADABLE", "the file cannot be read", where=file.name, remedy="Give its path.") from None
