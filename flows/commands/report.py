"""`sluicegate report`: the declaration of a batch, or the annual report per agency."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from expectations.clock import Clock
from expectations.errors import Usage
from flows.home import open_home
from pipelines.lake import durable

if TYPE_CHECKING:
    from flows.reports.render import Format


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(report)


def report(
    batch: Annotated[str | None, typer.Argument(metavar="[BATCH]", help="The declaration of this batch.")] = None,
    year: Annotated[
        int | None, typer.Option(help="The annual report of this year instead.", min=1900, max=9998)
    ] = None,
    agency: Annotated[str | None, typer.Option(help="Of one requester only (with --year).")] = None,
    format: Annotated[str, typer.Option(help="md, html or json.")] = "md",
    out: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
) -> int:
    """How many were asked for, matched, disclosed and withheld, and why; each number with the event of the ledger it rests on.

    The declaration counts by codes that the requester is never told: it is the holder's own paper. The annual report (26 USC
    6103(p)(3)(C)) is due within 90 days of the year's end.
    """
    from flows.reports.annual import annual
    from flows.reports.declaration import declaration
    from flows.reports.render import render

    if (batch is None) == (year is None) or (agency and year is None):
        raise Usage(
            "WHICH_REPORT", "a report is of a batch, or of a year", remedy="Give BATCH, or --year (and --agency)."
        )
    form = _form(format)
    home, clock = open_home(), Clock()
    made = declaration(home, clock, batch) if batch else annual(home, clock, year or 0, agency)
    text = render(made, form)
    if out is None:
        print(text, end="")
        return 0
    try:
        durable.write(out, text.encode())
    except OSError:
        raise Usage("OUT_UNWRITABLE", "the report cannot be written there", where="--out") from None
    print(f"Report: {out}")
    return 0


def _form(name: str) -> Format:
    from flows.reports.render import Format

    try:
        return Format(name)
    except ValueError:
        raise Usage("UNKNOWN_FORMAT", "a report is written as md, html or json", where="--format") from None
