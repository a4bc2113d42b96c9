"""What people see before they decide: the batches that wait for them, and why one of them is held."""

from typing import Any

from expectations.base.errors import Usage
from flows.batch.checkpoints import match_counts
from flows.batch.steps import BatchSteps
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.states import State
from flows.reports import status

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
    """Why a batch is held, and what may be decided, in counts, rule ids and codes. Of those who have signed on this
    hold only how many, so that each decides alone; and who may sign each decision, where the agreement bars anybody.
    Raises Usage if nobody knows it."""
    record = ledger.batch(batch)
    if record is None:
        raise Usage("UNKNOWN_BATCH", "the ledger knows no batch of this name", remedy="See sluicegate review list.")
    allowed, work, decided = ledger.allowed_decisions(batch), BatchSteps(home, ledger, batch), ledger.decisions(batch)
    # of a batch that is held for its matches: their counts, and the bounds that were applied
    matches = match_counts(work.context(work.folder, home.register)) if Decision.CONFIRM in allowed else {}
    return {
        **status.batch_summary(home, record),
        "failed": [
            {"checkpoint": verdict["suite"], **{k: result[k] for k in _SHOWN}}
            for verdict in status.verdicts(home, batch)
            for result in verdict["results"]
            if result["ok"] is not True
        ],
        "incomplete": status.incomplete(home, batch),
        "tries": status.tries(home, ledger, batch),
        "matches": matches,
        "allowed": sorted(allowed),
        "deciders": ledger.deciders(batch),
        "decisions": [
            (d.at.isoformat(timespec="seconds"), d.decision.value, d.reason.value, d.operator, d.granted)
            for d in decided
            if d.hold != record.hold
        ],
        "spoken": len({d.operator for d in decided if d.hold == record.hold}),
    }
