"""The cap on rows within 30 days, once more under the publication lock.

`intake` judges it by what had passed at receipt: two batches in flight at once, neither knowing of the other, could
pass together. Here whatever passed `intake` before this batch did counts, so that of two the later is stopped, whoever
publishes first. It can only narrow: the lower of the caps at receipt and now.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.instruments import Agreement, parse_instrument
from flows.ledger.database.models import Batch, Enrolled, Event
from flows.ledger.lifecycles.states import State
from flows.ledger.times import stamp

PERIOD = timedelta(days=30)  # before receipt
_CODE = "TOO_MANY_ROWS_30_DAYS"


def over_cap(session: Session, entry: Batch) -> dict[str, list[str]]:
    """The code and the agreement that stand in the batch's way; nothing if it is within the cap, or there is none."""
    caps = [a.thresholds.rows_30_days for a in _versions(session, entry)]
    cap = min((c for c in caps if c is not None), default=None)
    return {_CODE: [entry.agreement]} if cap is not None and _rows(session, entry) > cap else {}


def _versions(session: Session, entry: Batch) -> list[Agreement]:
    """The agreement as it was at receipt, and as it is enrolled now."""
    at_receipt = json.loads(entry.instruments).get(entry.agreement)
    versions = select(Enrolled).where(Enrolled.id == entry.agreement).order_by(Enrolled.version.desc())
    rows = list(session.scalars(versions))
    counted = [r for n, r in enumerate(rows) if n == 0 or r.digest == at_receipt]
    found = [parse_instrument(r.body, r.id) for r in counted]
    return [i for i in found if isinstance(i, Agreement)]


def _rows(session: Session, entry: Batch) -> int:
    """Rows of this batch, and of what passed `intake` before it for the same requester and agreement, within the
    period."""
    since = stamp(datetime.fromisoformat(entry.received_at) - PERIOD)
    query = (
        select(Event.batch, Event.facts)
        .join(Batch, Batch.name == Event.batch)
        .where(Batch.requester == entry.requester, Batch.agreement == entry.agreement)
        .where(Event.kind == State.INGESTED.value, Event.at >= since)
        .order_by(Event.seq)
    )
    rows: dict[str, int] = {}
    for batch, facts in session.execute(query):
        rows[str(batch)] = rows.get(str(batch), 0) or json.loads(facts).get("rows_submitted", 0)
        if batch == entry.name:
            break
    return sum(rows.values())
