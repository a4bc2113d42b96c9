"""What people may decide on a held batch: the table of decisions of the design, as data.

Nothing in it releases a failing row: `drop` takes rows away, `confirm` says that a rate is explained, `retry` runs the
checks again.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from expectations.base.digests import canonical_json
from expectations.base.total import total
from expectations.codes import code
from flows.ledger.lifecycles.states import Checkpoint


class Decision(StrEnum):
    """What an operator can sign."""

    REJECT = "reject"  # the batch ends
    RETRY = "retry"  # the cause is fixed: run the stage and its checkpoint again
    DROP = "drop"  # take the incomplete rows away; the checkpoint runs again with zero tolerance
    CONFIRM = "confirm"  # the match rate or the mix of tiers is explained; rows that fail a rule stay held
    RESUME = "resume"  # on a halt: let releases go on


class Reason(StrEnum):
    """Why. Free text is kept sealed (`flows.evidence.notes`), never here."""

    REQUESTER_MENDS = "requester_mends"
    INCOMPLETE_ROWS = "incomplete_rows"
    CAUSE_MENDED = "cause_mended"
    RATE_EXPLAINED = "rate_explained"
    NOT_VALID = "not_valid"
    SUSPECTED_FAULT = "suspected_fault"
    COURT_OR_COUNSEL = "court_or_counsel"


# What each says to people. The words themselves are kept by ledgers, and so never change.
MEANINGS: Mapping[Reason, str] = total(
    Reason,
    {
        Reason.REQUESTER_MENDS: "the requester corrects its data and submits again",
        Reason.INCOMPLETE_ROWS: "only the incomplete rows are in the way",
        Reason.CAUSE_MENDED: "the cause was found and fixed",
        Reason.RATE_EXPLAINED: "the match rate, or the mix of tiers, has an explanation",
        Reason.NOT_VALID: "the request is not valid",
        Reason.SUSPECTED_FAULT: "the system may be at fault",
        Reason.COURT_OR_COUNSEL: "a court, or counsel, asks for it",
    },
)


HALT = "halt"  # stands where a batch's checkpoint would, in what is signed to resume
KEYS_NEEDED: Mapping[Decision, int] = total(
    Decision,
    {
        **dict.fromkeys((Decision.REJECT, Decision.RETRY), 1),
        **dict.fromkeys((Decision.DROP, Decision.CONFIRM, Decision.RESUME), 2),
    },
)
_AT_FAULT = frozenset({Decision.REJECT, Decision.RETRY})
_BY_CODE: dict[str, frozenset[Decision]] = {
    "TOO_MANY_INCOMPLETE": frozenset({Decision.REJECT, Decision.DROP}),
    **dict.fromkeys(("MATCH_RATE", "TIER_MIX"), frozenset({Decision.REJECT, Decision.RETRY, Decision.CONFIRM})),
    **dict.fromkeys(
        (
            "COUNTS_DIFFER",
            "NOTHING_TO_DO",
            "DECOY_WRONG",
            "VERDICT_DIFFERS",
            "PACKAGE_DIFFERS",
            "HALTED",
            "NO_CLEARANCE",
        ),
        _AT_FAULT,
    ),
}
_ONLY_AT = {Decision.DROP: Checkpoint.INTAKE, Decision.CONFIRM: Checkpoint.MATCHING}


def allowed(checkpoint: Checkpoint, codes: Iterable[str]) -> frozenset[Decision]:
    """The decisions open to people on a batch held at `checkpoint` with these codes: those open for every one of them.

    Without a code the checkpoint could not be evaluated, which is the system's fault; so is a row's code at a
    checkpoint, since the screens should have kept that row back. A batch code that the table does not name (authority)
    can only be rejected; but at `disclosure`, where the law is read again each time, a retry asks it once more.
    """
    found = frozenset(d for d in Decision if d is not Decision.RESUME and _ONLY_AT.get(d, checkpoint) is checkpoint)
    names = list(codes)
    if not names:
        return _AT_FAULT
    again = _AT_FAULT if checkpoint is Checkpoint.DISCLOSURE else frozenset({Decision.REJECT})
    for name in names:
        found &= _BY_CODE.get(name, again if code(name).phase == "batch" else _AT_FAULT) | again
    return found


def message(
    batch: str,
    hold: int,
    checkpoint: str,
    content_digest: str,
    decision: str,
    voided: int | None = None,
    home: str | None = None,
    note: str | None = None,
) -> bytes:
    """What an operator signs. `hold`: the event that holds the batch, so that a signature counts for one hold only;
    `voided`: the event after which what was signed on this hold before counts no more; `home`: for which home it is
    signed, None in events of an older version; `note`: digest of what was written about the reason."""
    said = {"batch": batch, "hold": hold, "checkpoint": checkpoint, "content_digest": content_digest}
    more = {"voided": voided, "home": home, "note": note}
    return canonical_json({**said, "decision": decision, **{k: v for k, v in more.items() if v is not None}})


def resume_message(halt: int, voided: int | None, home: str | None, note: str | None = None) -> bytes:
    """What to sign (namespace signatures.DECISION) to resume after the halt of this number."""
    return message("", halt, HALT, "", Decision.RESUME, voided, home, note)


def withdrawal_message(signed: int, home: str, note: str | None = None) -> bytes:
    """What an operator signs (namespace signatures.DECISION) to withdraw the decision of the event `signed`."""
    return canonical_json({"withdraw": signed, "home": home, **({} if note is None else {"note": note})})
