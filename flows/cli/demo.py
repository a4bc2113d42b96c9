"""`sluicegate demo`: the incident on made-up data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from expectations.base.clock import Clock


def demo(
    home: Annotated[Path, typer.Option(help="Where the demo's home goes; made anew.")] = Path(".demo"),
    rows: Annotated[int, typer.Option(help="Rows of the made-up register.", min=1000)] = 100_000,
) -> int:
    """The incident, and what Sluicegate does about it, on made-up data."""
    from flows.sandbox.demo import demo as play

    return play(home.resolve(), rows, Clock())
