"""`sluicegate replay`: a past batch, decided again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from expectations.base.clock import Clock
from expectations.base.errors import DONE, HELD
from flows.cli.command import DAY, Batch, Json, Who, day, show
from flows.home.tree import open_home
from flows.operations.printing import cited, flat, print_table

DIFFERS = HELD  # a person must look


def replay(
    batch: Batch,
    as_of: Annotated[
        date | None,
        typer.Option("--as-of", parser=day, metavar=DAY, help="Decision date, in the agreement's legal zone."),
    ] = None,
    instruments: Annotated[
        Path | None,
        typer.Option(help="Folder of TOML files that replace the enrolled ones with their ids, or join them."),
    ] = None,
    first: Annotated[int, typer.Option(help="How many changed rows to name.", min=0)] = 20,
    out: Annotated[Path | None, typer.Option(help="All changed rows, as CSV or Parquet: ordinals and codes.")] = None,
    who: Who = "",
    json: Json = False,
) -> int:
    """Decide a past batch again from its evidence, and show what would differ.

    Exit codes: 0 nothing, 3 something.
    """
    from flows.replay.replay import replay as again

    home, clock = open_home(), Clock()
    found = again(home, clock, batch, who=who, as_of=as_of, instruments=instruments, first=first, out=out)
    return show(found, json, _print, DIFFERS if found["differs"] else DONE)


def _print(found: dict[str, Any]) -> None:
    then, now = found["then"], found["now"]
    rows = [[key, flat(then[key]), flat(now[key])] for key in ("decided_on", "state", "codes", "fields")]
    rows.append(["cites", cited(then["cites"]), cited(now["cites"])])
    print_table(f"Batch {found['batch']}", ["", "then", "now"], rows)
    names = sorted({*then["outcomes"], *now["outcomes"]})
    counts = [[name, then["outcomes"].get(name, 0), now["outcomes"].get(name, 0)] for name in names]
    print_table("Rows", ["outcome", "then", "now"], counts)
    if found["moved"]:
        moved = [[m["then"], m["now"], flat(m["codes"]), m["rows"]] for m in found["moved"]]
        print_table("What changes", ["then", "now", "codes", "rows"], moved)
        print(" ".join(found["rows"]) + (" …" if found["changed"] > len(found["rows"]) else ""))
    print(f"{found['changed']:,} rows would differ." if found["differs"] else "Nothing would differ.")
