"""What a requester has asked for over time: of each batch the digest of its keyed requests, and what they come to.

Accounting counts requests (26 USC 6103(p)(3)(A)): a batch counts from the moment that its rows were read, whatever
becomes of it. So the order of the events `asked` decides between batches in flight: each is judged with all before it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base.errors import Fault
from expectations.facts.earlier import Period
from expectations.instruments import Agreement
from flows.ledger import chain, facts
from flows.ledger.core import Core, find
from flows.ledger.database.models import Batch, Event, stamp
from flows.ledger.events.base import Kind
from flows.ledger.events.requests import Asked, OverPeriod
from flows.ledger.lifecycles.states import FINAL, State

ASKED = Kind.ASKED.value
_OVER = "LIMIT_NOT_COUNTED"


@dataclass(frozen=True)
class AskedBefore:
    """A batch of the same requester that was read before; `digest`: of the file of its requests.

    ended   it ended without a release: a request of it that was sent again counts as it was sent last
    """

    batch: str
    digest: str
    ended: bool


class Requests(Core):
    """What was asked for."""

    def ask(self, batch: str, requests: int, digest: str) -> None:
        """Records that a batch's rows were read, and the digest of the file of its requests. Again: no change."""
        said = Asked(requests=requests, asked=facts.digest(digest, "asked"))
        with self.transaction() as session:
            entry = find(session, batch)
            before = chain.newest(session, batch, ASKED)
            if before is None or json.loads(before.facts)["asked"] != digest:
                self.append(session, entry, said)

    def asked(self) -> dict[str, str]:
        """The digest of the file of each batch's requests, by batch."""
        query = select(Event).where(Event.kind == ASKED).order_by(Event.seq)
        with self.reading() as session:
            return {str(e.batch): json.loads(e.facts)["asked"] for e in session.scalars(query)}

    def asked_before(self, batch: str, days: int) -> list[AskedBefore]:
        """The batches of the same requester, received in so many days before this one, that were read before it was, in
        that order. Raises Fault if this one was not."""
        with self.reading() as session:
            entry = find(session, batch)
            first = select(Event.batch, func.min(Event.seq).label("seq")).where(Event.kind == ASKED)
            each = first.group_by(Event.batch).subquery()
            own = session.scalar(select(each.c.seq).where(each.c.batch == batch))
            if own is None:
                raise Fault(_OVER, "the requests of the batch were not counted", where=batch, remedy="Run it again.")
            since = stamp(datetime.fromisoformat(entry.received_at) - timedelta(days=days))
            ours = (Batch.requester == entry.requester) & (Batch.received_at >= since) & (each.c.seq < own)
            query = select(Batch).join(each, each.c.batch == Batch.name).where(ours).order_by(each.c.seq)
            return [AskedBefore(b.name, _digest(session, b.name), _ended(b)) for b in session.scalars(query)]

    def count_period(self, batch: str, days: int, period: Period) -> None:
        """Records what the batch and those before it come to within so many days."""
        with self.transaction() as session:
            self.append(session, find(session, batch), OverPeriod(days=days, **vars(period)))

    def counted_period(self, batch: str) -> dict[str, Any] | None:
        """What was recorded last of the period; None if it was not counted."""
        with self.reading() as session:
            return _counted(session, batch)


def over_period(session: Session, entry: Batch, versions: Iterable[Agreement]) -> dict[str, list[str]]:
    """The codes, with the agreement, that stand in the way of a batch above a limit over the period; nothing if none.

    Judged under the publication lock by what was counted when the batch was read, with all that was read before it,
    whether in flight or ended: later batches never count against it. `versions` of the agreement: the lowest of their
    limits counts. Raises Fault if the period is longer now than the one that was counted. A batch that an older
    version took in has no such count.
    """
    said = _counted(session, entry.name)
    if said is None:
        return {}
    limits = [a.thresholds.complete() for a in versions]
    if any(limit.period_days > said["days"] for limit in limits):
        longer = "the agreement has a longer period now than was counted"
        raise Fault(_OVER, longer, where=entry.name, remedy="Run the batch again.")
    over = {
        "OFFICER_OVERLOADED": any(said["officer"] > (one.matters_per_officer_period or 0) for one in limits),
        "BOILERPLATE_REASONS": any(
            said["reason"] > (one.identical_reason_share_period or 0) * said["requests"] for one in limits
        ),
    }
    return {code: [entry.agreement] for code, is_over in over.items() if is_over}


def _counted(session: Session, batch: str) -> dict[str, Any] | None:
    event = chain.newest(session, batch, Kind.PERIOD.value)
    said: dict[str, Any] | None = json.loads(event.facts) if event else None
    return said


def _digest(session: Session, batch: str) -> str:
    event = chain.newest(session, batch, ASKED)
    assert event is not None, "it was asked for"
    return str(json.loads(event.facts)["asked"])


def _ended(batch: Batch) -> bool:
    return State(batch.state) in FINAL - {State.PUBLISHED}
