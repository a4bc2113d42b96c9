"""The later steps of a case: each takes a proof, stores it sealed, and is signed by an operator or by the recipient.

First a step is judged (`propose`): what it would rest on, and the text that an operator signs over it. Then it is taken
(`advance`), with a signature over exactly that, whichever kind of key made it. A disposal is judged once more under the
ledger's lock: while an order in force says that what was disclosed must be kept as it is, none is taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from expectations.base.clock import Clock
from expectations.base.digests import bytes_match, of_bytes, of_json
from expectations.base.errors import BadInput, Forbidden, Usage
from expectations.base.total import total
from flows.cases import Step, deadlines, documents, forms, opening, places
from flows.cases.places import Desk
from flows.cases.steps import PROOFS, WITHOUT_FILE, HandedIn, Proposed, Sign
from flows.home.keys import OWN
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.case_records import ATTESTATION, CaseRecord
from flows.ledger.lifecycles.cases import DISPOSALS, CaseState, Proof, after
from flows.registry import enrolled
from flows.registry.enrolled import Enrolled


def propose(home: Home, ledger: Ledger, id: str, step: Step, handed: HandedIn) -> Proposed | None:
    """Judges a step and takes nothing; None if it was taken with this file before.

    Raises Usage if the case does not wait for this step, BadInput if the file is not what it takes, Forbidden if an
    order in force forbids it.
    """
    case = ledger.case(id)
    if step is Step.FROZEN and case.state is not CaseState.FOUND:
        return None
    if any(s.proof in PROOFS[step] and bytes_match(handed.data, s.rests_on) for s in case.steps):
        return None
    after(case.state, min(PROOFS[step]))
    if DISPOSALS & PROOFS[step]:
        _may_dispose(enrolled.newest(ledger), case, ledger.clock)
    return _JUDGED[step](_At(home, ledger, case), handed)


def hand_in(home: Home, clock: Clock, id: str, step: Step, handed: HandedIn) -> str:
    """Judges a file, and stores it sealed until the step that rests on it is signed; gives its digest. Raises as
    `propose`."""
    with places.desk(home, clock, places.SEALED) as desk:
        propose(home, desk.ledger, id, step, handed)
        return places.hand_in(desk, id, handed.data)


def advance(home: Home, clock: Clock, id: str, step: Step, handed: HandedIn, sign: Sign) -> CaseRecord:
    """Takes a step of a case with its proof; gives the case as it is then. A proof that was taken before changes
    nothing. Raises what `propose` and `sign` raise, and BadInput if the signature does not count."""
    names = OWN if step is Step.FROZEN else places.SEALED
    with places.desk(home, clock, names) as desk:
        proposed = propose(home, desk.ledger, id, step, handed)
        if proposed is None:
            return desk.ledger.case(id)
        taken = _take(desk, proposed, handed, sign(proposed) if proposed.needed else "")
        if taken.seq != proposed.case.seq:  # else another operator must sign as well
            places.forget(home, id)
        return taken


def issue(home: Home, clock: Clock, id: str) -> CaseRecord:
    """Issues what the instruments in force ask for now: the disposal notice once nothing forbids it, or its recall."""
    with places.desk(home, clock, places.SEALED) as desk:
        setting = documents.Setting.of(home, desk.ledger, desk.ledger.case(id))
        return desk.ledger.issue(id, partial(documents.issue, setting))


@dataclass(frozen=True)
class _At:
    """A case that is judged, and what it is judged by."""

    home: Home
    ledger: Ledger
    case: CaseRecord

    @property
    def today(self) -> date:
        """The day in the zone of the agreement's newest version."""
        return self.ledger.clock.today(enrolled.newest(self.ledger).agreements[self.case.agreement].zone)

    @property
    def list_digest(self) -> str | None:
        """Of the newest list of copies."""
        return next((s.rests_on for s in reversed(self.case.steps) if s.proof is Proof.COPIES), None)

    def stored(self, digest: str) -> bytes:
        """A proof that was taken."""
        return places.open_proof(self.home, self.case.id, digest)

    def listed(self) -> list[forms.Copy]:
        """The newest list of copies; none before the first."""
        digest = self.list_digest
        return forms.copies(self.stored(digest), "stored list of copies") if digest else []


def _frozen(at: _At, _: HandedIn) -> Proposed:
    return Proposed(at.case, Step.FROZEN, Proof.LIST, at.case.affected)


def _notified(at: _At, handed: HandedIn) -> Proposed:
    if not handed.data:
        raise BadInput("FILE_EMPTY", "the file is empty", where=handed.name, remedy="Hand in the receipts.")
    return Proposed(at.case, Step.NOTIFIED, Proof.NOTICE, of_bytes(handed.data))


def _copies(at: _At, handed: HandedIn) -> Proposed:
    found = forms.copies(handed.data, handed.name, at.listed())
    rows, derived = sum(c.rows for c in found), sum(bool(c.derived_from) for c in found)
    counts = {"copies": len(found), "rows": rows, "derived": derived}
    return Proposed(at.case, Step.COPIES, Proof.COPIES, of_bytes(handed.data), counts)


def _persons(at: _At, handed: HandedIn) -> Proposed:
    found = forms.persons(handed.data, handed.name, at.case.rows, at.today)
    notified = sum(one.rows for one in found if one.notified_on is not None)
    counts = {"rows": at.case.rows, "notified": notified}
    return Proposed(at.case, Step.PERSONS, Proof.PERSONS, of_bytes(handed.data), counts)


def _disposed(at: _At, handed: HandedIn, *, step: Step) -> Proposed:
    listed, returned = {c.id for c in at.listed()}, step is Step.RETURNED
    earlier = [s.rests_on for s in at.case.steps if s.proof in DISPOSALS and s.rests_on]
    before = [d for digest in earlier for d in forms.log(at.stored(digest), "stored disposal log")]
    done = [
        *before,
        *forms.disposals(handed.data, handed.name, listed, {d.copy_id for d in before}, at.today, returned),
    ]
    proof = Proof.PART
    if len(done) == len(listed):
        proof = Proof.RECEIPT if all(d.method == forms.RETURNED for d in done) else Proof.LOG
    digest = of_bytes(handed.data)
    counts = {"copies": len(listed), "disposed": len(done)}
    return Proposed(
        at.case, step, proof, digest, counts, {**counts, "list": at.list_digest, "logs": [*earlier, digest]}
    )


def _attested(at: _At, _: HandedIn) -> Proposed:
    text = places.folder(at.home, at.case.id) / ATTESTATION
    if not text.is_file():
        raise Usage("NOT_ISSUED", "no attestation was issued yet", remedy="See sluicegate recall show.")
    return Proposed(at.case, Step.ATTESTED, Proof.ATTESTATION, of_bytes(text.read_bytes()))


def _closed(at: _At, _: HandedIn) -> Proposed:
    case = at.case
    if not any(s.proof is Proof.PERSONS for s in case.steps):
        unknown = "it is not recorded who notified the persons concerned, and when"
        remedy = f"sluicegate recall advance {case.id} persons --file RECORD --key KEY"
        raise Usage("PERSONS_NOT_NOTIFIED", unknown, where=case.id, remedy=remedy)
    rests_on = of_json([[s.seq, s.state, s.rests_on, dict(s.documents)] for s in case.steps])
    return Proposed(case, Step.CLOSED, Proof.REVIEW, rests_on)


_JUDGED: Mapping[Step, Callable[[_At, HandedIn], Proposed]] = total(
    Step,
    {
        Step.FROZEN: _frozen,
        Step.NOTIFIED: _notified,
        Step.PERSONS: _persons,
        Step.COPIES: _copies,
        Step.DISPOSED: partial(_disposed, step=Step.DISPOSED),
        Step.RETURNED: partial(_disposed, step=Step.RETURNED),
        Step.ATTESTED: _attested,
        Step.CLOSED: _closed,
    },
)


def _take(desk: Desk, proposed: Proposed, handed: HandedIn, signature: str) -> CaseRecord:
    """Stores the file as proof, and takes the step that rests on it."""
    case, proof, step = proposed.case, proposed.proof, proposed.step
    if step is Step.FROZEN:
        return opening.freeze(desk, case)
    if step is Step.ATTESTED:
        text = (places.folder(desk.home, case.id) / ATTESTATION).read_bytes()
        return desk.ledger.attest(case.id, text, handed.data.decode("utf-8", errors="replace"))
    setting = documents.Setting.of(desk.home, desk.ledger, case)

    def judge(now: CaseRecord, end: CaseState, bodies: Sequence[bytes]) -> Mapping[str, Any]:
        if proof in DISPOSALS:
            _may_dispose(enrolled.read(bodies), now, desk.ledger.clock)
        return {**proposed.counts, **documents.issue(setting, now, end, bodies, proposed.logs or None)}

    if step not in WITHOUT_FILE:
        places.store_proof(desk.home, case.id, handed.data)
    return desk.ledger.take(case.id, proof, judge, proposed.rests_on, signature)


def _may_dispose(known: Enrolled, case: CaseRecord, clock: Clock) -> None:
    """Raises Forbidden while an order says that what was disclosed must be kept."""
    if keeps := deadlines.keeping(known, case.agreement, clock):
        kept = "by order, what was disclosed must be kept"
        remedy = "Wait until the order is lifted, or until another order names it in disposal_despite."
        raise Forbidden("DISPOSAL_FORBIDDEN", kept, where=", ".join(keeps), remedy=remedy)
