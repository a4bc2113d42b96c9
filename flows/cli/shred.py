"""`sluicegate shred`: destroy the evidence of a batch whose retention has ended."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from expectations.base.errors import DONE, REFUSED
from flows.cli.command import DAY, Batch, at_home, day


def shred(
    batch: Batch,
    as_of: Annotated[
        date | None,
        typer.Option("--as-of", parser=day, metavar=DAY, help="As if it were noon UTC of this day; sandboxes only."),
    ] = None,
) -> int:
    """Destroy a batch's evidence and its key, once its retention has ended.

    The accounting stays. Exit code 4: the agreement, a court order or a case forbids it.
    """
    from flows.evidence.shred import shred as destroy

    with at_home(as_of) as here:
        reasons = destroy(here.home, here.ledger, batch)
    for reason in reasons:
        print(f"The evidence of {batch} must stay: {reason}")
    if not reasons:
        print(f"The evidence of {batch} is destroyed; its accounting stays.")
    return REFUSED if reasons else DONE
