"""`sluicegate watch`: each submission in the inbox, as it arrives."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.home.tree import open_home


def watch(
    at_once: Annotated[int, typer.Option(help="How many submissions at a time.", min=1, max=16)] = 1,
    every: Annotated[float, typer.Option(help="Seconds between looks into the inbox.", min=0.1)] = 5.0,
    once: Annotated[bool, typer.Option(help="Stop when the inbox holds nothing new.")] = False,
) -> int:
    """Run each submission in the inbox once it is complete, until stopped.

    Ctrl-C or SIGTERM stops it: no new submission is started, and it waits for the running batches to finish.
    """
    from flows.schedule.watch import watch as watch_inbox

    return watch_inbox(open_home(), at_once=at_once, every=every, once=once)
