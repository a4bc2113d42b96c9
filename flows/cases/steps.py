"""A step of a case before it is taken: the file that was handed in for it, what it was judged to be, and the text that
is signed for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.errors import BadInput, Usage
from expectations.base.total import total
from flows.cases import Step
from flows.ledger.case_records import CaseRecord
from flows.ledger.lifecycles.cases import DISPOSALS, KEYS_NEEDED, STEPS, CaseState, Proof, after, message

# The kinds of proof that each step may be taken with; and the steps that take no file.
PROOFS: Mapping[Step, frozenset[Proof]] = total(
    Step,
    {
        Step.FROZEN: frozenset({Proof.LIST}),
        Step.NOTIFIED: frozenset({Proof.NOTICE}),
        Step.PERSONS: frozenset({Proof.PERSONS}),
        Step.COPIES: frozenset({Proof.COPIES}),
        Step.DISPOSED: DISPOSALS,
        Step.RETURNED: DISPOSALS,
        Step.ATTESTED: frozenset({Proof.ATTESTATION}),
        Step.CLOSED: frozenset({Proof.REVIEW}),
    },
)
WITHOUT_FILE = (Step.FROZEN, Step.CLOSED)


@dataclass(frozen=True)
class HandedIn:
    """The bytes of a file, and how errors call it: never by a name that may hold a value."""

    data: bytes = field(default=b"", repr=False)
    name: str = ""

    @classmethod
    def of(cls, step: Step, file: Path | None) -> "HandedIn":
        """A file that an operator names; raises Usage if the step takes one and there is none, BadInput if it cannot be
        read."""
        if step in WITHOUT_FILE:
            return cls()
        if file is None:
            what = "this step rests on a file"
            raise Usage("FILE_NEEDED", what, remedy="Give --file, as sluicegate recall show says.")
        try:
            return cls(file.read_bytes(), file.name)
        except OSError:
            what = "the file cannot be read"
            raise BadInput("FILE_UNREADABLE", what, where=file.name, remedy="Give its path.") from None


@dataclass(frozen=True)
class Proposed:
    """A step that was judged, and not taken yet.

    rests_on  digest of its proof; counts: what its event says of that; logs: what the attestation says of disposals
    """

    case: CaseRecord
    step: Step
    proof: Proof
    rests_on: str
    counts: Mapping[str, Any] = field(default_factory=dict)
    logs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needed(self) -> int:
        """How many different operators sign it."""
        return KEYS_NEEDED[self.proof]

    @property
    def text(self) -> bytes:
        """What each of them signs (namespace signatures.RECALL)."""
        return message(self.case.id, self.proof, self.case.seq, self.rests_on)

    @property
    def end(self) -> CaseState:
        """Where it leads."""
        return after(self.case.state, self.proof)


Sign = Callable[[Proposed], str]  # gives an operator's signature over `text`, or raises


def by_key(key: Ed25519PrivateKey | None) -> Sign:
    """Signs with an SSH key; without one it raises Usage."""

    def sign(proposed: Proposed) -> str:
        if key is None:
            raise Usage("KEY_NEEDED", "an operator signs this step", remedy="Give --key.")
        return signatures.sign(proposed.text, key, signatures.RECALL)

    return sign


def steps_from(state: CaseState) -> list[Step]:
    """What a case that is `state` waits for."""
    return [step for step in Step if any((state, proof) in STEPS for proof in PROOFS[step])]
