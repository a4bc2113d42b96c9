"""The form of a code: one reason why something is not released, in words, with its source.

A code that a rule leads to stands with that rule (`expectations.rules`); the others stand in `expectations.codes`,
which collects all of them.
"""

from dataclasses import dataclass
from enum import StrEnum

STATUTE = "26 USC 6103(i)(2)"
PUB28 = "USPS Publication 28"
DMM = "USPS DMM 602 1.3"
POLICY = "holder's policy"
REVIEW = "holder's review of the 2025 release (infra/docs/incident.md)"
STAY = "stay of 21 November 2025, Center for Taxpayer Rights v. IRS (D.D.C.)"
EVIDENCE = "the evidence that a match needs (infra/docs/matching.md)"
INVARIANT = "infra/docs/invariants.md"


class CodePhase(StrEnum):
    """When a code is found, and with it who may read it (`codes.READ_BY_REQUESTER`)."""

    SUBMISSION = "submission"  # the whole submission cannot be read, and ends
    READ = "read"  # a row cannot be read, and ends
    REQUEST = "request"  # about the requester's own data
    REGISTER = "register"  # would reveal what the register holds
    BATCH = "batch"  # stops a batch


@dataclass(frozen=True)
class Code:
    """One reason. `message`: what is wrong. `fix`: what the requester can do. `source`: where the rule comes from."""

    name: str
    phase: CodePhase
    message: str
    fix: str
    source: str
    blocking: bool = True  # address codes only: blocking means not complete; others are for a person
