"""What of a case is due, and when: `flows.ledger.lifecycles.cases.DEADLINES` against what the ledger knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from expectations.base.clock import Clock
from expectations.instruments import Agreement, preserved
from flows.ledger import Ledger
from flows.ledger.case_records import CaseRecord
from flows.ledger.lifecycles.cases import DEADLINES
from flows.registry import enrolled
from flows.registry.enrolled import Enrolled


@dataclass(frozen=True)
class Due:
    """One deadline of a case.

    at     when it ends; None while the step that it is counted from is not taken
    met    when it was met; None: not yet
    waits  ids of orders in force that forbid the step, which is not due until they are lifted
    """

    name: str
    source: str
    at: datetime | None
    met: datetime | None
    waits: tuple[str, ...] = ()

    def status(self, now: datetime) -> str:
        """later, open, passed, waits, met or late."""
        if self.at is None:
            return "later"
        if self.met is not None:
            return "met" if self.met <= self.at else "late"
        return "waits" if self.waits else "open" if now <= self.at else "passed"

    def alarms(self, now: datetime, hours: int) -> bool:
        """Whether it has passed, or will within so many hours."""
        soon = self.at is not None and now + timedelta(hours=hours) >= self.at
        return soon and self.status(now) in ("open", "passed")


def due(case: CaseRecord, agreement: Agreement, keeps: tuple[str, ...]) -> list[Due]:
    """The deadlines of a case, in the order of its steps. `keeps`: orders under which nothing may be disposed of."""
    reached, found = case.reached(), []
    for one in DEADLINES:
        since = [case.discovered_at] if one.from_discovery else [reached[s] for s in one.since if s in reached]
        proven = [step.at for step in case.steps if step.proof in one.by]
        met = min((*(at for state, at in reached.items() if state in one.by), *proven), default=None)
        at = one.due(min(since), agreement.recall) if since else None
        found.append(Due(one.name, one.source, at, met, keeps if one.name == "disposal" else ()))
    return found


def of_cases(ledger: Ledger, cases: Sequence[CaseRecord]) -> list[list[Due]]:
    """The deadlines of each case by the instruments that are enrolled now."""
    if not cases:
        return []
    known = enrolled.newest(ledger)
    keeps = {id: keeping(known, id, ledger.clock) for id in {case.agreement for case in cases}}
    return [due(case, known.agreements[case.agreement], keeps[case.agreement]) for case in cases]


def keeping(known: Enrolled, id: str, clock: Clock) -> tuple[str, ...]:
    """Ids of the orders by which what was disclosed under agreement `id` must be kept, today in its zone."""
    agreement = known.agreements[id]
    return preserved(agreement, known.orders.values(), clock.today(agreement.zone))
