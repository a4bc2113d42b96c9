"""Commands that decide past batches again: replay, lookback."""

from __future__ import annotations

import getpass
import shutil
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from expectations.clock import Clock
from expectations.errors import DONE, HELD
from flows.commands.output import cited, print_json, print_table
from flows.home import open_home

DIFFERS = HELD  # a person must look
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Decision date, in the agreement's legal zone.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (replay, lookback):
        app.command()(command)


def replay(
    batch: str,
    as_of: AsOf = None,
    instruments: Annotated[
        Path | None, typer.Option(help="Folder of TOML files, in the place of the enrolled ones with their ids or beside them.")
    ] = None,
    first: Annotated[int, typer.Option(help="How many changed rows to name.", min=0)] = 20,
    out: Annotated[Path | None, typer.Option(help="All changed rows, as CSV or Parquet: ordinals and codes.")] = None,
    who: Annotated[str, typer.Option(help="Who looks, for the audit; the login name if left out.")] = "",
    json: Json = False,
) -> int:  # fmt: skip
    """Decide a past batch again from its evidence, and show what would differ. Exit codes: 0 nothing, 3 something."""
    from flows.replay import replay as again

    day = as_of.date() if as_of else None
    found = again(
        open_home(), Clock(), batch, who=who or getpass.getuser(), as_of=day, instruments=instruments, first=first, out=out
    )  # fmt: skip
    print_json(found) if json else _print(found)
    return DIFFERS if found["differs"] else DONE


def lookback(
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="As things stood at the end of that day.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the sealed list of the affected goes as well.")] = None,
    json: Json = False,
) -> int:
    """Decide all published disclosures again under today's rules, instruments and register corrections. Exit codes: 0 all would
    be released again, 3 not."""
    from flows.progress import Reporter
    from flows.recall import lookback as look

    home = open_home()
    with Reporter(quiet=json) as progress:
        found = look(home, Clock(), as_of=as_of.date() if as_of else None, progress=progress)
    if out and found.affected:
        shutil.copyfile(found.affected, out)
    summary = {**found.summary, "sealed": str(found.affected) if found.affected else None}
    print_json(summary) if json else _print_lookback(summary)
    return found.exit_code


def _print_lookback(said: dict[str, Any]) -> None:
    keys = ("batch", "decided_on", "released", "affected")
    print_table("Lookback", [*keys, "codes", "instruments"],
                [[*(one[k] for k in keys), ", ".join(f"{c} {n:,}" for c, n in one["codes"].items()), cited(one["cites"])]
                 for one in said["found"]])  # fmt: skip
    for one in said["not_decided"]:
        print(f"{one['batch']} could not be decided: {one['code']}")
    print(f"{said['affected']:,} of {said['released']:,} disclosures in {said['batches']:,} batches would not be made today;"
          f" {said['persons']:,} persons")  # fmt: skip
    if said["sealed"]:
        print(f"The list, sealed to the holder: {said['sealed']}")


def _print(found: dict[str, Any]) -> None:
    then, now = found["then"], found["now"]
    keys = ("decided_on", "state", "codes", "fields")
    rows = [[k, _flat(then[k]), _flat(now[k])] for k in keys]
    rows.append(["cites", cited(then["cites"]), cited(now["cites"])])
    print_table(f"Batch {found['batch']}", ["", "then", "now"], rows)
    names = sorted({*then["outcomes"], *now["outcomes"]})
    print_table("Rows", ["outcome", "then", "now"], [[n, then["outcomes"].get(n, 0), now["outcomes"].get(n, 0)] for n in names])  # fmt: skip
    if found["moved"]:
        print_table("What changes", ["then", "now", "codes", "rows"], [[m["then"], m["now"], _flat(m["codes"]), m["rows"]] for m in found["moved"]])  # fmt: skip
        print(" ".join(found["rows"]) + (" …" if found["changed"] > len(found["rows"]) else ""))
    print(f"{found['changed']:,} rows would differ." if found["differs"] else "Nothing would differ.")


def _flat(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value
