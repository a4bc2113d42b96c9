"""`sluicegate report`: the declaration of a batch, or the annual report per agency."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from expectations.base.clock import Clock
from expectations.base.errors import Usage
from flows.home.tree import open_home
from flows.reports import Format
from pipelines.lake import durable


def report(
    batch: Annotated[str | None, typer.Argument(metavar="BATCH", help="The declaration of this batch.")] = None,
    year: Annotated[
        int | None, typer.Option(help="The annual report of this year instead.", min=1900, max=9998)
    ] = None,
    agency: Annotated[str | None, typer.Option(help="Of one requester only (with --year).")] = None,
    format: Annotated[Format, typer.Option(help="How it is written.")] = Format.MD,
    out: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
) -> None:
    """How many were asked for, matched, disclosed and withheld, and why.

    Each number names the event of the ledger that it rests on. The declaration counts by codes that the requester
    never sees: it is the holder's own paper. The annual report (26 USC 6103(p)(3)(C)) is due within 90 days of the
    year's end.
    """
    from flows.reports.render import make, render

    text = render(make(open_home(), Clock(), batch, year, agency), format)
    if out is None:
        print(text, end="")
        return
    try:
        durable.write(out, text.encode())
    except OSError:
        raise Usage("OUT_UNWRITABLE", "the report cannot be written there", where="--out") from None
    print(f"Report: {out}")
