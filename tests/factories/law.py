"""The law as far as a ledger alone can tell, for tests that have no rows: whether releases are halted, and
the limits over several batches."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.instruments import Agreement, parse_enrolled
from flows.batch.ruling import Judged, Ruling
from flows.ledger import chain
from flows.ledger.batches import over_cap
from flows.ledger.database.models import Batch, Enrolled
from flows.ledger.events.read import Read
from flows.ledger.registry import latest_instruments
from flows.ledger.requests import over_period
from flows.ledger.restorations import closed
from flows.ledger.review import standing_halts


def no_law(session: Session, entry: Batch) -> Judged:
    """Nothing is enrolled that speaks of the batch."""
    return _judged(session, Ruling(), entry)


def any_order(session: Session, entry: Batch) -> Judged:
    """Whatever is enrolled forbids the batch."""
    ids = tuple(parse_enrolled(body, "test").id for _, _, body in latest_instruments(session))
    return _judged(session, Ruling(refuses={"COURT_ORDER": ids} if ids else {}), entry)


def versions(session: Session, entry: Batch) -> list[Agreement]:
    """The agreement as it was at receipt, and as it is enrolled now."""
    at_receipt = json.loads(entry.instruments).get(entry.agreement)
    rows = session.scalars(select(Enrolled).where(Enrolled.id == entry.agreement).order_by(Enrolled.version.desc()))
    found = [parse_enrolled(r.body, r.id) for n, r in enumerate(rows) if n == 0 or r.digest == at_receipt]
    return [one for one in found if isinstance(one, Agreement)]


def _judged(session: Session, ruling: Ruling, entry: Batch) -> Judged:
    under = versions(session, entry)
    over = {**over_cap(session, entry, under), **over_period(session, entry, under)}
    refuses = {code: tuple(ids) for code, ids in over.items()}
    ruling &= Ruling(refuses=refuses, waits=bool(standing_halts(session)) or closed(session))
    names = tuple((id, digest) for id, digest, _ in latest_instruments(session))
    return Judged(ruling, Read(position=chain.head(session).seq, day=20260601, under=names), "")
