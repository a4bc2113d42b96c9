"""What people decide, and what they see before they do: held batches, and halts."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import Usage
from flows.batch import checkpoints
from flows.batch.steps import BatchSteps
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import Decision, Reason, resume_message
from flows.ledger.lifecycles.states import State
from flows.reports import status

_DEFAULT_REASON = {
    Decision.REJECT: Reason.REQUESTER_MENDS,
    Decision.RETRY: Reason.CAUSE_MENDED,
    Decision.DROP: Reason.INCOMPLETE_ROWS,
    Decision.CONFIRM: Reason.RATE_EXPLAINED,
    Decision.RESUME: Reason.CAUSE_MENDED,
}
_SHOWN = ("check", "rows", "failed", "code", "source", "disposition", "error")


def waiting(ledger: Ledger) -> list[dict[str, Any]]:
    """The batches that wait for people, with the decisions open on each."""
    return [
        {
            "batch": record.name,
            "checkpoint": str(record.checkpoint),
            "codes": list(record.codes),
            "open": sorted(ledger.allowed_decisions(record.name)),
        }
        for record in ledger.batches(State.HELD)
    ]


def review(home: Home, ledger: Ledger, batch: str) -> dict[str, Any]:
    """Why a batch is held, and what may be decided: all that an operator needs, in counts, rule ids and codes. Raises
    Usage if nobody knows the batch."""
    record = ledger.batch(batch)
    if record is None:
        raise Usage("UNKNOWN_BATCH", "the ledger knows no batch of this name", remedy="See sluicegate review list.")
    allowed = ledger.allowed_decisions(batch)
    return {
        **status.batch_summary(home, record),
        "failed": [
            {"checkpoint": verdict["suite"], **{k: result[k] for k in _SHOWN}}
            for verdict in status.verdicts(home, batch)
            for result in verdict["results"]
            if result["ok"] is not True
        ],
        "incomplete": status.incomplete(home, batch),
        "matches": _matches(home, ledger, record) if Decision.CONFIRM in allowed else {},
        "allowed": sorted(allowed),
        "decisions": [
            (d.at.isoformat(timespec="seconds"), d.decision.value, d.reason.value, d.operator, d.granted)
            for d in ledger.decisions(batch)
        ],
    }


def _matches(home: Home, ledger: Ledger, record: BatchRecord) -> dict[str, Any]:
    """Of a batch that is held for its matches: their counts, and the bounds that were applied."""
    work = BatchSteps(home, ledger, record.name)
    return checkpoints.match_counts(work.context(work.folder, home.register))


def sign(
    home: Home,
    batch: str,
    decision: Decision,
    key: Ed25519PrivateKey,
    reason: Reason | None = None,
    content: str | None = None,
) -> State:
    """Signs and hands in a decision on a held batch; gives its state after that: held while a second key is needed.

    `content`: digest of the rows that were looked at; the batch's present one, if left out. Raises as `Ledger.decide`.
    """
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        record = ledger.batch(batch)
        if record is None or record.checkpoint is None or record.state is not State.HELD:
            raise Usage("NOT_HELD", "no batch of this name is held", remedy="See sluicegate review list.")
        signature = signatures.sign(ledger.decision_message(batch, decision), key, signatures.DECISION)
        return ledger.decide(
            batch,
            record.checkpoint,
            content or record.content_digest or "",
            decision,
            reason or _DEFAULT_REASON[decision],
            signatures.public_line(key),
            signature,
        )


def resume(ledger: Ledger, halt: int, key: Ed25519PrivateKey, reason: Reason) -> bool:
    """Signs that releases go on after this halt; True once two operators have, and it is lifted."""
    signature = signatures.sign(resume_message(halt), key, signatures.DECISION)
    return ledger.resume(halt, reason, signatures.public_line(key), signature)


def sign_baseline(ledger: Ledger, key: Ed25519PrivateKey) -> int:
    """Signs what the events of an older version did not hold; gives the number of the event that says so."""
    signature = signatures.sign(ledger.baseline_message(), key, signatures.BASELINE)
    return ledger.baseline(signatures.public_line(key), signature)
