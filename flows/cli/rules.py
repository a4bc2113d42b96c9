"""`sluicegate rules` and `schema`: the rule book, and the fields it speaks of."""

from typing import Annotated

from typer import Argument, Option

from expectations.rules.book import entries
from flows.cli.command import Json, show
from flows.operations.printing import print_table
from flows.reports.schemas import NAMES, json_schema, table


def rules(json: Json = False) -> int:
    """Every rule: what a violation does, its code, what the requester sees, its source of law."""
    return show(entries(), json, _print_rules)


def _print_rules(book: list[dict[str, str]]) -> None:
    columns = ("scope", "phase", "severity", "code", "message")
    rows = [[rule["id"], *(rule[c] for c in columns), _seen(rule), rule["source"]] for rule in book]
    print_table("Rules", ["rule", *columns, "the requester sees", "source"], rows)


def _seen(rule: dict[str, str]) -> str:
    """What the requester reads: how to fix it, and the code if that is another than the rule's own."""
    return rule["fix"] if rule["shown"] == rule["code"] else f"{rule['shown']}: {rule['fix']}"


def schema(
    name: Annotated[str | None, Argument(help="Which; if left out, the names of all.")] = None,
    json: Annotated[bool, Option("--json", help="As JSON Schema.")] = False,
) -> int:
    """Print the fields of a kind of row, of a letter, an instrument or a register's mapping."""
    if name is None:
        return show(list(NAMES), json, lambda names: print("\n".join(names)))
    return show(json_schema(name), json, lambda _: print_table(name, ["field", "type", "null", "meaning"], table(name)))
