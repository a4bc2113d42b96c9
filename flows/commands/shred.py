"""The command that destroys the evidence of a batch whose retention has ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from expectations.clock import Clock
from expectations.errors import DONE, REFUSED, Usage
from flows.home import Home, open_home


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(shred)


def shred(
    batch: str,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="As if it were this day, noon UTC; sandboxes only."),
    ] = None,
) -> int:
    """Destroy the key of a batch's evidence, and the evidence, once its retention has ended. The accounting stays.

    Exit code 4: the agreement, a court order or a case keeps it.
    """
    from flows.ledger import Ledger
    from flows.shred import shred as destroy

    home = open_home()
    with Ledger.open(home.ledger_url, clock_as_of(home, as_of)) as ledger:
        reasons = destroy(home, ledger, batch)
    for reason in reasons:
        print(f"{batch} is kept: {reason}")
    if not reasons:
        print(f"The evidence of {batch} is destroyed; its accounting stays.")
    return REFUSED if reasons else DONE


def clock_as_of(home: Home, day: datetime | None) -> Clock:
    """The clock, or in a sandbox one that stands at noon (UTC) of a day; raises Usage elsewhere."""
    if day is None:
        return Clock()
    if not home.config.sandbox:
        raise Usage("NO_SANDBOX", "--as-of works in a sandbox only", remedy="sluicegate init --sandbox elsewhere.")
    return Clock(day.replace(hour=12, tzinfo=UTC))
