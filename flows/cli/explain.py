"""`sluicegate explain`: why a row ended as it did."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from expectations.base.clock import Clock
from flows.cli.command import Batch, Json, Who, show
from flows.home.tree import open_home
from flows.operations.printing import cited, print_table


def explain(
    batch: Batch,
    row: Annotated[int, typer.Argument(help="Ordinal of the row: 0 for the first.", min=0)],
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show the row's values; recorded as an audit event.")
    ] = False,
    who: Who = "",
    json: Json = False,
) -> int:
    """How a row was judged, rule by rule, how it was matched, and how it ended.

    Each rule that it met or failed is shown with its verdict, code, source of law and instruments.
    """
    from flows.replay.explain import explain as look

    found = look(open_home(), Clock(), batch, row, show_values=show_values, who=who)
    return show(found, json, lambda found: _print(f"{batch}#{row}", found))


def _print(row: str, found: dict[str, Any]) -> None:
    print(f"{row}: {found['outcome'] or 'no outcome yet'} {' '.join(found['codes'])}")
    if stopped := found.get("batch"):
        print(f"The batch is {stopped['state']}: {', '.join(stopped['codes'])}; {cited(stopped['cites'])}")
    print_table(
        "Rules",
        ["rule", "verdict", "code", "source", "instruments"],
        [[r["rule"], r["verdict"], r["code"], r["source"], cited(r["cites"])] for r in found["rules"]],
    )
    for title in ("match", "validate", "values"):
        if found.get(title):
            print_table(title, ["field", "value"], found[title].items())
