"""`sluicegate lookback`: every past disclosure, decided again under today's rules."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from expectations.base.clock import Clock
from flows.cli.command import DAY, Json, day, show
from flows.home.tree import open_home
from flows.operations.printing import cited, print_table
from flows.operations.progress import Reporter


def lookback(
    as_of: Annotated[
        date | None, typer.Option("--as-of", parser=day, metavar=DAY, help="As things stood at the end of that day.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where a copy of the sealed list of the affected goes.")] = None,
    json: Json = False,
) -> int:
    """Decide all published disclosures again under today's rules.

    Today's instruments and register corrections apply. Exit codes: 0 all would be released again, 3 not.
    """
    from flows.replay.lookback import lookback as look

    with Reporter(quiet=json) as progress:
        found = look(open_home(), Clock(), as_of=as_of, progress=progress)
    if out and found.affected:
        shutil.copyfile(found.affected, out)
    summary = {**found.summary, "sealed": str(found.affected) if found.affected else None}
    return show(summary, json, _print, found.exit_code)


def _print(summary: dict[str, Any]) -> None:
    keys = ("batch", "decided_on", "released", "affected")
    print_table(
        "Lookback",
        [*keys, "codes", "instruments"],
        [
            [*(one[k] for k in keys), ", ".join(f"{c} {n:,}" for c, n in one["codes"].items()), cited(one["cites"])]
            for one in summary["found"]
        ],
    )
    for one in summary["not_decided"]:
        print(f"{one['batch']} could not be decided: {one['code']}")
    print(
        f"{summary['affected']:,} of {summary['released']:,} disclosures in {summary['batches']:,} batches would not be"
        f" made today; {summary['persons']:,} persons"
    )
    if summary["sealed"]:
        print(f"The list, sealed to the holder: {summary['sealed']}")
