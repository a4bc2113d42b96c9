"""Which report was asked for: the declaration of a batch, or the annual report of a year."""

from __future__ import annotations

from typing import Any

from expectations.base.clock import Clock
from expectations.base.errors import Usage
from flows.home.tree import Home
from flows.reports.annual import annual
from flows.reports.declaration import declaration


def make(home: Home, clock: Clock, batch: str | None, year: int | None, agency: str | None) -> dict[str, Any]:
    """The declaration of `batch`, or the annual report of `year` (of one `agency`); raises Usage unless it is one."""
    if batch is not None and year is None and agency is None:
        return declaration(home, clock, batch)
    if batch is None and year is not None:
        return annual(home, clock, year, agency)
    raise Usage("WHICH_REPORT", "a report is of a batch, or of a year", remedy="Give BATCH, or --year (and --agency).")
