"""Commands that look: explain, rules, schema, doctor."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from expectations.clock import Clock
from flows.commands.output import cited, print_json, print_table
from flows.home import open_home

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (explain, rules, schema, doctor):
        app.command()(command)


def explain(
    batch: str,
    row: Annotated[int, typer.Argument(help="Ordinal of the row: 0 for the first.", min=0)],
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show the row's values; recorded as an audit event.")
    ] = False,
    who: Annotated[str, typer.Option(help="Who looks, for the audit; the login name if left out.")] = "",
    json: Json = False,
) -> int:
    """Every rule that a row met or failed, with verdict, code and source; how it was matched; how it ended."""
    from flows.explain import explain as look

    found = look(open_home(), Clock(), batch, row, show_values=show_values, who=who or getpass.getuser())
    if json:
        print_json(found)
        return 0
    print(f"{batch}#{row}: {found['outcome'] or 'not settled yet'} {' '.join(found['codes'])}")
    if stopped := found.get("batch"):
        print(f"The batch is {stopped['state']}: {', '.join(stopped['codes'])}; {cited(stopped['cites'])}")
    print_table("Rules", ["rule", "verdict", "code", "source", "instruments"],
                [[r["rule"], r["verdict"], r["code"], r["source"], cited(r["cites"])] for r in found["rules"]])  # fmt: skip
    for title in ("match", "validate", "values"):
        if found.get(title):
            print_table(title, ["field", "value"], found[title].items())
    return 0


def rules(json: Json = False) -> int:
    """Every rule of the rule book: what a violation does, its code, what the requester sees, source of law."""
    from expectations.rules.book import entries

    book = entries()
    if json:
        print_json(book)
        return 0
    print_table("Rules", ["rule", "scope", "phase", "severity", "code", "message", "what the requester sees", "source"],
                [[r["id"], r["scope"], r["phase"], r["severity"], r["code"], r["message"], _told(r), r["source"]] for r in book])  # fmt: skip
    return 0


def _told(rule: dict[str, str]) -> str:
    return rule["fix"] if rule["shown"] == rule["code"] else f"{rule['shown']}: {rule['fix']}"


def schema(
    name: Annotated[str | None, typer.Argument(help="Which; all names, if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON Schema.")] = False,
) -> int:
    """Print the schema of a kind of row, of a letter, an instrument or a register's mapping."""
    from flows.schemas import NAMES, json_schema, table

    if name is None:
        print_json(list(NAMES)) if as_json else print("\n".join(NAMES))
    elif as_json:
        print_json(json_schema(name))
    else:
        print_table(name, ["field", "type", "null", "meaning"], table(name))
    return 0


def doctor(json: Json = False) -> int:
    """What is missing on this machine and in this home, and how to mend it."""
    from flows.doctor import examine

    findings = examine()
    if json:
        print_json([vars(f) for f in findings])
    else:
        for f in findings:
            print(f"{f.level:<5} {f.what}" + (f"\n      -> {f.remedy}" if f.remedy else ""))
    return 1 if any(f.level == "fail" for f in findings) else 0
