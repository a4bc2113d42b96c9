"""Batches held or failed for more days than the agreement's `held_days`: they end as `expired`, all rows refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from expectations.base.clock import legal_date
from expectations.instruments import Agreement
from flows.batch.steps import BatchSteps
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import TRANSITIONS, Cause, State
from flows.registry.enrolled import agreement_at_receipt

CODE = "HELD_TOO_LONG"
_WAITING = frozenset({State.HELD, State.FAILED})


def overdue(ledger: Ledger, batch: str) -> bool:
    """Whether a batch has waited for longer than its agreement allows."""
    last, today = last_day(ledger, batch), ledger.clock.today
    return last is not None and today(last.zone) > last.day


@dataclass(frozen=True)
class LastDay:
    """The last legal day, in the agreement's zone, on which a batch may wait."""

    day: date
    zone: str

    @property
    def over(self) -> datetime:
        """The moment at which it is over."""
        return datetime.combine(self.day + timedelta(days=1), time(), ZoneInfo(self.zone))


def last_day(ledger: Ledger, batch: str) -> LastDay | None:
    """None if it does not wait, or waits for nobody. The day on which the wait began does not count."""
    record = ledger.batch(batch)
    if record is None or record.state not in _WAITING:
        return None
    return last_day_of(record, agreement_at_receipt(ledger, record), ledger.events(batch))


def last_day_of(
    record: BatchRecord, agreement: Agreement | None, events: Iterable[Mapping[str, Any]]
) -> LastDay | None:
    """The same of a batch whose agreement (None: a submission that could not be read) and events are at hand."""
    if record.state not in _WAITING or agreement is None:
        return None
    began = waiting_since(events)
    assert began is not None, "a batch that is held or failed has an event that says since when"
    days = timedelta(days=agreement.thresholds.held_days)
    return LastDay(legal_date(began, agreement.zone) + days, agreement.zone)


def waiting_since(events: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Since when the batch of these events has waited; None if it does not. A fault that comes back when the batch is
    run again belongs to the same wait; a checkpoint passed, or a decision, ends it."""
    began = None
    for event in events:
        cause = TRANSITIONS.get((event["facts"].get("start"), event["kind"]))
        if cause in (Cause.HELD, Cause.FAILED):
            began = began or datetime.fromisoformat(event["at"])
        elif cause is not None and cause is not Cause.RETRIED:
            began = None
    return began


def expire(batch: BatchSteps) -> None:
    """Ends the batch: accounted for first, then in the ledger. What it was held for stays among its codes."""
    record = batch.record
    codes = {CODE, *(record.codes if record.state is State.HELD else ())}
    batch.account_refused(codes)
    batch.ledger.expire(batch.name, codes)
