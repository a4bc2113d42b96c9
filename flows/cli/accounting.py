"""`sluicegate accounting`: the record of disclosures, by person and by batch."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from expectations.base.clock import Clock
from flows.cli.command import Batch, Json, Who, show
from flows.home.tree import open_home
from flows.operations.printing import flat, print_table

app = typer.Typer(
    name="accounting", help="What was disclosed to whom: 26 USC 6103(p)(3), 5 USC 552a(c).", no_args_is_help=True
)


@app.command()
def person(
    record_id: Annotated[str, typer.Argument(metavar="RECORD_ID", help="The register's key; - reads it from stdin.")],
    who: Who = "",
    json: Json = False,
) -> int:
    """To whom this person's record was disclosed.

    The look is recorded as an audit event before anything is shown.
    """
    from flows.reports.accounting import person as look

    given = sys.stdin.readline() if record_id == "-" else record_id
    return show(look(open_home(), Clock(), given, who), json, _print_disclosures)


def _print_disclosures(found: list[dict[str, Any]]) -> None:
    for one in found:
        recalls = [f"{case}: {state}" for case, state in one["recalls"].items()] or None
        print_table(f"{one['date']}, {one['batch']}", ["", ""], _readable({**one, "recalls": recalls}).items())
    print(f"{len(found)} disclosures.")


@app.command("show")
def show_(batch: Batch, json: Json = False) -> int:
    """The header of a batch's accounting, and its counts."""
    from flows.reports.accounting import show as look

    return show(look(open_home(), Clock(), batch), json, _print_batch)


def _print_batch(found: dict[str, Any]) -> None:
    plain = {k: v for k, v in found.items() if not isinstance(v, dict)}
    header = {k: v for k, v in (found["header"] or {}).items() if k not in plain}
    print_table(f"Accounting of {found['batch']}", ["", ""], _readable({**plain, **header}).items())
    print_table("Outcomes", ["outcome", "rows"], found["outcomes"].items())
    print_table("Codes (a row may have several)", ["code", "rows"], found["codes"].items())


def _readable(facts: dict[str, Any]) -> dict[str, Any]:
    """Lists and parties in one line each; nothing that is not known."""
    return {k: _line(v) for k, v in facts.items() if v is not None}


def _line(value: Any) -> Any:
    return ", ".join(str(v) for v in value.values() if v) if isinstance(value, dict) else flat(value)
