"""By when the holder must confirm to a court that it complies with an order, and whether somebody signed that it did.

A deadline is watched until the version of the order that is enrolled now is confirmed, or the order has ended.
"""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from expectations.base.clock import legal_date
from expectations.instruments.standing import ended
from flows.ledger import Ledger
from flows.registry import enrolled
from flows.registry.instruments import COURTS


def unconfirmed(ledger: Ledger, now: datetime) -> list[dict[str, Any]]:
    """Each order whose compliance is to be confirmed and is not: its id, the day, the moment at which that day ends in
    the zone of the courts, and whether that has passed by now (`late`); the earliest first."""
    orders, today = enrolled.newest(ledger).orders, legal_date(now, COURTS)
    digests, confirmed = {id: digest for id, digest, _ in ledger.instruments()}, ledger.confirmed()
    over = ended(orders.values(), today)
    found = []
    for order in orders.values():
        lifted = order.id in over or (order.lifted_on is not None and order.lifted_on <= today)
        if order.confirm_by is None or lifted or digests[order.id] in confirmed:
            continue
        end = datetime.combine(order.confirm_by + timedelta(days=1), time(), ZoneInfo(COURTS))
        found.append({"order": order.id, "confirm_by": order.confirm_by.isoformat(), "end": end, "late": now >= end})
    return sorted(found, key=lambda one: (one["end"], one["order"]))


def due(ledger: Ledger, hours: float) -> list[dict[str, Any]]:
    """Those whose day has passed, or will within so many hours."""
    now = ledger.clock.now()
    return [one for one in unconfirmed(ledger, now) if one["end"] <= now + timedelta(hours=hours)]
