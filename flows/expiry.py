"""Batches that waited too long: held, or failed, for more days than the agreement's `held_days`. They end as `expired`, every
row accounted for as refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from expectations.clock import legal_date
from expectations.instruments import Agreement, parse_instrument
from flows.ledger import Ledger
from flows.ledger.states import TRANSITIONS, Cause, State
from flows.work import Work

CODE = "HELD_TOO_LONG"
_WAITS = frozenset({State.HELD, State.FAILED})


def overdue(ledger: Ledger, batch: str) -> bool:
    """Whether a batch has waited for longer than its agreement allows. The day on which it began to wait does not count."""
    record = ledger.batch(batch)
    if record is None or record.state not in _WAITS or record.agreement not in record.instruments:
        return False
    agreement = parse_instrument(ledger.instrument(record.instruments[record.agreement]) or b"", record.agreement)
    began = waits_since(ledger.events(batch))
    assert isinstance(agreement, Agreement) and began is not None, "a batch is recorded with its agreement, and waits"
    days = (ledger.clock.today(agreement.zone) - legal_date(began, agreement.zone)).days
    return days > agreement.thresholds.held_days


def waits_since(events: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Since when the batch of these events has waited; None if it does not. A fault that comes back when the batch is run again is still the
    same wait; a checkpoint passed, or a decision, ends it."""
    began = None
    for event in events:
        cause = TRANSITIONS.get((event["facts"].get("start"), event["kind"]))
        if cause in (Cause.HELD, Cause.FAILED):
            began = began or datetime.fromisoformat(event["at"])
        elif cause is not None and cause is not Cause.RETRIED:
            began = None
    return began


def expire(work: Work) -> None:
    """Ends the batch: accounted for first, then in the ledger. What it was held for stays among its codes."""
    record = work.record
    codes = {CODE, *(record.codes if record.state is State.HELD else ())}
    work.account_refused(codes)
    work.ledger.expire(work.name, codes)
