"""Why somebody looks at values: one of a closed list, and the number of a case where there is one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from expectations.base.errors import BadInput
from expectations.base.total import total


class LookReason(StrEnum):
    """Why. What else there is to say belongs in the case that the number names, not here."""

    PERSON_ASKS = "person_asks"
    COMPLAINT = "complaint"
    MATCH_CHECK = "match_check"
    CORRECTION = "correction"
    RECALL_CASE = "recall_case"
    COURT_OR_COUNSEL = "court_or_counsel"
    INSPECTION = "inspection"


# What each says to people. The words themselves are kept by ledgers, and so never change.
LOOK_REASONS: Mapping[LookReason, str] = total(
    LookReason,
    {
        LookReason.PERSON_ASKS: "the person, or who acts for it, asks what is kept or was disclosed",
        LookReason.COMPLAINT: "a complaint about this request",
        LookReason.MATCH_CHECK: "to check whether a match, or that there is none, is right",
        LookReason.CORRECTION: "the register or the request is to be corrected",
        LookReason.RECALL_CASE: "a recall, or whether there must be one",
        LookReason.COURT_OR_COUNSEL: "a court, or counsel, asks for it",
        LookReason.INSPECTION: "an audit or inspection",
    },
)
# Letters, year, number: so that no name, no birth date and no TIN fits.
REFERENCE = r"[A-Z]{2,4}-[12][0-9]{3}-[0-9]{1,5}"
_REFERENCE = re.compile(REFERENCE)


@dataclass(frozen=True)
class Why:
    """`reference`: the number of the case, complaint or order, if there is one."""

    reason: LookReason
    reference: str | None = None

    @classmethod
    def of(cls, reason: LookReason, reference: str | None) -> "Why":
        """With a number as people write it; raises BadInput, without a word of it, for what may be something else."""
        if reference and not _REFERENCE.fullmatch(reference):
            what = "a reference is 2 to 4 capital letters, a year and a number, such as DSR-2026-17"
            raise BadInput("REFERENCE_FORM", what, remedy="Write it so, or leave it out.")
        return cls(reason, reference or None)
