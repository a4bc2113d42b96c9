"""`sluicegate accounting`: the record of disclosures, by person and by batch."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from expectations.clock import Clock
from flows.commands.output import print_json, print_table
from flows.home import open_home

app = typer.Typer(help="To whom what was disclosed: 26 USC 6103(p)(3), 5 USC 552a(c).", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def person(
    record_id: Annotated[str, typer.Argument(metavar="RECORD_ID", help="The register's key; - reads it from stdin.")],
    who: Annotated[str, typer.Option(help="Who looks, for the audit; the login name if left out.")] = "",
    json: Json = False,
) -> int:
    """To whom this person's record was disclosed. Recorded as an audit event, before anything is shown."""
    from flows.accounting import person as look

    given = sys.stdin.readline() if record_id == "-" else record_id
    found = look(open_home(), Clock(), given, who or getpass.getuser())
    if json:
        print_json(found)
        return 0
    for one in found:
        recalls = [f"{case}: {state}" for case, state in one["recalls"].items()] or None
        print_table(f"{one['date']}, {one['batch']}", ["", ""], _readable({**one, "recalls": recalls}).items())
    print(f"{len(found)} disclosures.")
    return 0


@app.command()
def show(batch: str, json: Json = False) -> int:
    """The header of a batch's accounting, and its counts."""
    from flows.accounting import show as look

    found = look(open_home(), Clock(), batch)
    if json:
        print_json(found)
        return 0
    plain = {k: v for k, v in found.items() if not isinstance(v, dict)}
    header = {k: v for k, v in (found["header"] or {}).items() if k not in plain}
    print_table(f"Accounting of {batch}", ["", ""], _readable({**plain, **header}).items())
    print_table("Outcomes", ["outcome", "rows"], found["outcomes"].items())
    print_table("Codes (a row may have several)", ["code", "rows"], found["codes"].items())
    return 0


def _readable(said: dict[str, object]) -> dict[str, object]:
    """Lists and parties in one line each; nothing that is not known."""
    return {k: _line(v) for k, v in said.items() if v is not None}


def _line(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return ", ".join(str(v) for v in value.values() if v) if isinstance(value, dict) else value
