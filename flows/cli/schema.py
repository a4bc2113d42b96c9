"""`sluicegate schema`: the fields of rows, letters, instruments and mappings."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.command import show
from flows.operations.printing import print_table


def schema(
    name: Annotated[str | None, typer.Argument(help="Which; if left out, the names of all.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON Schema.")] = False,
) -> int:
    """Print the fields of a kind of row, of a letter, an instrument or a register's mapping."""
    from flows.reports.schemas import NAMES, json_schema, table

    if name is None:
        return show(list(NAMES), json, lambda names: print("\n".join(names)))
    return show(json_schema(name), json, lambda _: print_table(name, ["field", "type", "null", "meaning"], table(name)))
