"""The recipient's safeguards, 26 USC 6103(p)(4): when they were reviewed, and what the review found."""

from __future__ import annotations

from datetime import date

from pydantic import model_validator

from expectations.base.forms import Strict, entry
from expectations.instruments.terms import Key


class Finding(Strict):
    """A finding of a safeguard review. A corrective plan counts from the day it was filed to the day it is due."""

    id: Key = entry("name of the finding", "access-logs")
    opened_on: date = entry("day on which it was found", date(2026, 1, 15))
    plan_filed_on: date | None = entry("day on which a corrective plan was filed", date(2026, 2, 1), default=None)
    plan_due_on: date | None = entry("last day on which that plan counts", date(2026, 8, 1), default=None)
    closed_on: date | None = entry("day from which it is fixed", date(2026, 7, 1), default=None)

    @model_validator(mode="after")
    def _ordered(self) -> Finding:
        if (self.plan_filed_on is None) != (self.plan_due_on is None):
            raise ValueError("a corrective plan has both plan_filed_on and plan_due_on")
        if any(day and day < self.opened_on for day in (self.plan_filed_on, self.closed_on)):
            raise ValueError("plan_filed_on or closed_on lies before opened_on")
        return self

    def stands_open(self, day: date) -> bool:
        """Open on `day`, and no corrective plan under way."""
        is_open = self.opened_on <= day and (self.closed_on is None or day < self.closed_on)
        planned = self.plan_filed_on and self.plan_due_on and self.plan_filed_on <= day <= self.plan_due_on
        return is_open and not planned


class Safeguards(Strict):
    """26 USC 6103(p)(4): in force on a day if the last review still counts, and no finding stands open without a
    plan."""

    reviewed_on: date = entry("day of the last review", date(2026, 1, 1))
    review_due_on: date | None = entry(
        "the review counts up to this day; left out: until findings", date(2028, 12, 31), default=None
    )
    findings: tuple[Finding, ...] = entry(
        "what reviews found", [{"id": "access-logs", "opened_on": date(2026, 1, 15)}], default=()
    )

    def in_force(self, day: date) -> bool:
        reviewed = self.reviewed_on <= day and (self.review_due_on is None or day <= self.review_due_on)
        return reviewed and not any(f.stands_open(day) for f in self.findings)
