"""The page of one batch: its rows through the stages, its checkpoints, its events, and under what it was judged."""

from datetime import datetime
from typing import Any

from expectations.contracts.lists import Outcome
from flows.batch import expiry
from flows.console import kept, letter
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import Checkpoint
from flows.registry.enrolled import agreement_at_receipt
from flows.reports import status


def batch(home: Home, ledger: Ledger, record: BatchRecord) -> dict[str, Any]:
    """What the template `batch.html` names."""
    events, outcomes = ledger.events(record.name), _outcomes(ledger, record)
    reached = kept.reached(home, record.name)
    return {
        "record": record,
        "summary": status.batch_summary(home, record),
        "signed_by": status.signatory(agreement_at_receipt(ledger, record), events[0]["facts"]),
        "stages": _stages(record, events, outcomes),
        "outcomes": outcomes,
        "letter": letter.facts(home, ledger, record, reached.get(Checkpoint.INTAKE)),
        "key": events[0]["facts"].get("letter_key"),
        "checkpoints": list(Checkpoint),
        "reached": reached,
        "instruments": [_instrument(ledger, id, digest) for id, digest in sorted(record.instruments.items())],
        "noted": bool(ledger.noted_on(record.name)),
        "deadline": _deadline(ledger, record, events),
        "events": events,
    }


def _deadline(ledger: Ledger, record: BatchRecord, events: list[dict[str, Any]]) -> datetime | None:
    """When a batch that waits expires; None of one that waits for nobody."""
    last = expiry.last_day_of(record, agreement_at_receipt(ledger, record), events)
    return None if last is None else last.over


def _stages(record: BatchRecord, events: list[dict[str, Any]], outcomes: dict[str, int]) -> dict[str, int | None]:
    """How many rows each stage passed on, as far as the batch has come; control rows are in none."""
    matched: dict[str, int] = next((event["facts"] for event in reversed(events) if "looked_up" in event["facts"]), {})
    return {
        "submitted": record.rows,
        "looked up": matched.get("looked_up"),
        "matched": matched.get("matched"),
        "released": outcomes.get(Outcome.RELEASED, 0) if outcomes else None,
    }


def _outcomes(ledger: Ledger, record: BatchRecord) -> dict[str, int]:
    """How its rows ended, once they are accounted for."""
    counts = (ledger.accounted(record.name) or {}).get("outcomes", {})
    return {outcome.value: counts[outcome] for outcome in Outcome if outcome in counts}


def _instrument(ledger: Ledger, id: str, digest: str) -> dict[str, Any]:
    """An instrument in the version that was in force when the batch was received, and which is the newest."""
    versions = ledger.versions(id)
    used = next((one for one in versions if one.digest == digest), None)
    newest = max((one.version for one in versions), default=None)
    return {"id": id, "digest": digest, "version": used and used.version, "newest": newest, "kind": used and used.kind}
