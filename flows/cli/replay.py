"""`sluicegate replay` and `lookback`: a past batch, or every past disclosure, decided again."""

import shutil
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from expectations.base.errors import DONE, HELD
from flows.cli.command import Batch, Json, Who, day_option, here, show
from flows.operations.printing import cited, flat, print_table
from flows.operations.progress import Reporter

AsOf = Annotated[date | None, day_option("--as-of", "As things stood at the end of that day.")]
Affected = Annotated[Path | None, Option(help="Where a copy of the sealed list of the affected goes.")]


def replay(
    batch: Batch,
    as_of: Annotated[date | None, day_option("--as-of", "Decision date, in the agreement's legal zone.")] = None,
    instruments: Annotated[
        Path | None, Option(help="Folder of TOML files that replace the enrolled ones with their ids, or join them.")
    ] = None,
    first: Annotated[int, Option(help="How many changed rows to name.", min=0)] = 20,
    out: Annotated[Path | None, Option(help="All changed rows, as CSV or Parquet: ordinals and codes.")] = None,
    who: Who = "",
    json: Json = False,
) -> int:
    """Decide a past batch again from its evidence, and show what would differ.

    Exit codes: 0 nothing, 3 something.
    """
    from flows.replay.replay import replay as again

    found = again(*here(), batch, who=who, as_of=as_of, instruments=instruments, first=first, out=out)
    return show(found, json, _print_replay, HELD if found["differs"] else DONE)  # held: a person must look


def _print_replay(found: dict[str, Any]) -> None:
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


def lookback(as_of: AsOf = None, out: Affected = None, json: Json = False) -> int:
    """Decide all published disclosures again under today's rules.

    Today's instruments and register corrections apply. Exit codes: 0 all would be released again, 3 not.
    """
    from flows.replay.lookback import lookback as look

    with Reporter(quiet=json) as progress:
        found = look(*here(), as_of=as_of, progress=progress)
    if out and found.affected:
        shutil.copyfile(found.affected, out)
    summary = {**found.summary, "sealed": str(found.affected) if found.affected else None}
    return show(summary, json, _print_lookback, found.exit_code)


def _print_lookback(summary: dict[str, Any]) -> None:
    keys = ("batch", "decided_on", "released", "affected")
    rows = [
        [*(one[k] for k in keys), ", ".join(f"{c} {n:,}" for c, n in one["codes"].items()), cited(one["cites"])]
        for one in summary["found"]
    ]
    print_table("Lookback", [*keys, "codes", "instruments"], rows)
    for one in summary["not_decided"]:
        print(f"{one['batch']} could not be decided: {one['code']}")
    affected = f"{summary['affected']:,} of {summary['released']:,} disclosures in {summary['batches']:,} batches"
    print(f"{affected} would not be made today; {summary['persons']:,} persons")
    if summary["sealed"]:
        print(f"The list, sealed to the holder: {summary['sealed']}")
