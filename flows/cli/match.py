"""`sluicegate match`: the match stage alone, for evaluation and tuning. Needs no home."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from expectations.base.duck import default_settings
from flows.cli.command import Json, show
from flows.operations.printing import print_table
from flows.operations.progress import Reporter


def match(
    requests: Annotated[
        Path | None,
        typer.Option(help="Raw request rows, CSV or Parquet: the columns of a submission, no letter needed."),
    ] = None,
    register: Annotated[Path | None, typer.Option(help="A prepared register, or a raw one.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the result goes: .csv or .parquet.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print the SQL of the stage, step by step, and do nothing.")
    ] = False,
    json: Json = False,
) -> int:
    """Match rows against a register, without screens, release or ledger.

    The result has one row a request: request_id, outcome (matched, ambiguous, near, unmatched), record_id, tier,
    evidence, corroboration, vetoes, plausible (how many records might be meant) and weight (for ranking near rows).
    """
    from expectations.codes import code
    from pipelines import match as stage

    if plan:
        print(stage.plan())
        return 0
    if requests is None or register is None or out is None:
        raise typer.BadParameter("--requests, --register and --out are needed, or --plan")
    with Reporter(quiet=json) as report:
        found = stage.match_file(requests, register, out, duck=default_settings(), progress=report)
    ended = show(found.outcomes, json, _print)
    beside = sys.stderr if json else sys.stdout
    if not found.outcomes:
        print(f"{requests.name} has no rows: nothing was matched", file=beside)
    for name, rows in found.unread.items():
        print(f"{rows:,} row{'s' * (rows > 1)}: {code(name).message} It was no evidence.", file=beside)
    return ended


def _print(outcomes: dict[str, int]) -> None:
    if outcomes:
        print_table("Match", ["outcome", "rows"], outcomes.items())
