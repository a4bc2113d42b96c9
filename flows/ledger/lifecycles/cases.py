"""The life of a recall case as data: its states, the proof that each step needs, who signs it, and by when it is due.

Read by the ledger (which refuses every other step), by `ledger verify` (which plays the events over it) and by the
diagram in infra/docs/lifecycles.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from expectations.base.digests import canonical_json
from expectations.base.errors import Usage
from expectations.base.total import total
from expectations.instruments import RecallTerms
from flows.ledger.lifecycles.lifecycle import Lifecycle


class CaseState(StrEnum):
    """Where a case is."""

    FOUND = "found"  # what is affected is recorded, and its claims are marked
    FROZEN = "frozen"  # the signed recall list lies in the outbox
    NOTIFIED = "notified"  # the inspector general, the safeguards office and the recipient know
    ENUMERATED = "copies_enumerated"  # the recipient has listed its copies and what it derived from them
    DISPOSED = "disposed"  # every copy is disposed of
    RETURNED = "returned"  # every copy was returned under receipt
    ATTESTED = "attested"  # the recipient has signed that nothing is left
    CLOSED = "closed"


class Proof(StrEnum):
    """What a step rests on."""

    LIST = "list"  # the recall list, in the outbox
    NOTICE = "notice"  # receipts of the incident report and of the freeze notice
    COPIES = "copies"  # the recipient's list of copies
    PART = "part"  # a disposal log that covers some of them
    LOG = "log"  # disposal logs that cover them all
    RECEIPT = "receipt"  # receipts for all of them
    ATTESTATION = "attestation"  # the recipient's signature
    REVIEW = "review"  # two operators have gone through the case
    PERSONS = "persons"  # who notifies the persons concerned, and when they were notified; or that nobody need be


class CaseReason(StrEnum):
    """Why a disclosure is recalled."""

    LOOKBACK = "lookback"
    INCOMPLETE_ADDRESS = "incomplete_address"
    NOT_CORROBORATED = "not_corroborated"
    NO_AUTHORITY = "no_authority"
    COURT_ORDER = "court_order"
    REGISTER_CORRECTED = "register_corrected"
    SYSTEM_FAULT = "system_fault"


STEPS: Mapping[tuple[CaseState, Proof], CaseState] = {
    (CaseState.FOUND, Proof.LIST): CaseState.FROZEN,
    (CaseState.FROZEN, Proof.NOTICE): CaseState.NOTIFIED,
    (CaseState.NOTIFIED, Proof.COPIES): CaseState.ENUMERATED,
    (CaseState.ENUMERATED, Proof.COPIES): CaseState.ENUMERATED,  # another copy has come to light
    (CaseState.ENUMERATED, Proof.PART): CaseState.ENUMERATED,
    (CaseState.ENUMERATED, Proof.LOG): CaseState.DISPOSED,
    (CaseState.ENUMERATED, Proof.RECEIPT): CaseState.RETURNED,
    (CaseState.DISPOSED, Proof.COPIES): CaseState.ENUMERATED,
    (CaseState.RETURNED, Proof.COPIES): CaseState.ENUMERATED,
    (CaseState.DISPOSED, Proof.ATTESTATION): CaseState.ATTESTED,
    (CaseState.RETURNED, Proof.ATTESTATION): CaseState.ATTESTED,
    (CaseState.ATTESTED, Proof.REVIEW): CaseState.CLOSED,
}
# The persons concerned may be notified at any time between the recipient's notice and the end: the case stays where it
# is, and does not close before it is known who notified them, and when (IRM 10.5.4.4; 26 USC 7431(e)).
NOTIFIABLE = (
    CaseState.NOTIFIED,
    CaseState.ENUMERATED,
    CaseState.DISPOSED,
    CaseState.RETURNED,
    CaseState.ATTESTED,
)
STEPS = {**STEPS, **{(state, Proof.PERSONS): state for state in NOTIFIABLE}}
CASE = Lifecycle("recall case", CaseState.FOUND, tuple((start, proof, end) for (start, proof), end in STEPS.items()))
# How many different operators sign a step. The recall list has the holder's signature, the attestation the recipient's.
KEYS_NEEDED: Mapping[Proof, int] = total(
    Proof,
    {
        **dict.fromkeys((Proof.LIST, Proof.ATTESTATION), 0),
        **dict.fromkeys((Proof.NOTICE, Proof.COPIES, Proof.PART, Proof.LOG, Proof.RECEIPT, Proof.PERSONS), 1),
        Proof.REVIEW: 2,
    },
)
DISPOSALS = frozenset({Proof.PART, Proof.LOG, Proof.RECEIPT})  # these wait while an instrument forbids them


def after(state: CaseState, proof: Proof) -> CaseState:
    """The state that `proof` leads to; raises Usage if a case that is `state` does not wait for it."""
    end = STEPS.get((state, proof))
    if end is None:
        waits = ", ".join(p for s, p in STEPS if s is state) or "nothing"
        what = f"a case that is {state} does not wait for proof of kind {proof}, but for {waits}"
        raise Usage("NO_SUCH_STEP", what, remedy="See sluicegate recall show.")
    return end


def message(case: str, proof: str, after: int, rests_on: str) -> bytes:
    """What an operator signs (namespace signatures.RECALL).

    `after`: the event that brought the case where it is, so that a signature counts for one step of one case, once.
    `rests_on`: digest of the proof.
    """
    return canonical_json({"case": case, "proof": proof, "after": after, "rests_on": rests_on})


@dataclass(frozen=True)
class Deadline:
    """One of `by` is to be reached within `hours` of one of `since` (`from_discovery`: of the discovery, which comes
    before the case), or within the agreement's `term` (a field of RecallTerms, in days)."""

    name: str
    by: tuple[CaseState | Proof, ...]
    since: tuple[CaseState, ...]
    source: str
    hours: int = 0
    term: str = ""
    from_discovery: bool = False

    def due(self, started: datetime, terms: RecallTerms) -> datetime:
        """When it ends."""
        return started + timedelta(hours=self.hours, days=getattr(terms, self.term) if self.term else 0)


_DONE = (CaseState.DISPOSED, CaseState.RETURNED)
# Publication 1075 gives recipients 24 hours; its own disclosures the holder reports at once, and its policy bounds that
_REPORT = "IRM 10.5.4.3: at once; holder's policy: no later than 24 hours after discovery"
_DISPOSAL = "26 USC 6103(p)(4); agreement, recall.disposal_days"
_PERSONS = "IRM 10.5.4.4; 26 USC 7431(e); agreement, recall.persons_days"
DEADLINES = (
    Deadline("freeze", (CaseState.FROZEN,), (CaseState.FOUND,), "freeze at once", hours=1),
    Deadline("incident_report", (CaseState.NOTIFIED,), (CaseState.FOUND,), _REPORT, hours=24, from_discovery=True),
    Deadline("persons", (Proof.PERSONS,), (CaseState.FOUND,), _PERSONS, term="persons_days", from_discovery=True),
    Deadline(
        "copies", (CaseState.ENUMERATED,), (CaseState.NOTIFIED,), "agreement, recall.copies_days", term="copies_days"
    ),
    Deadline("disposal", _DONE, (CaseState.ENUMERATED,), _DISPOSAL, term="disposal_days"),
    Deadline(
        "attestation", (CaseState.ATTESTED,), _DONE, "agreement, recall.attestation_days", term="attestation_days"
    ),
    Deadline(
        "closing", (CaseState.CLOSED,), (CaseState.ATTESTED,), "agreement, recall.closing_days", term="closing_days"
    ),
)
