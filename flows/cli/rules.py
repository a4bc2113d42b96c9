"""`sluicegate rules`: the rule book."""

from __future__ import annotations

from flows.cli.command import Json, show
from flows.operations.printing import print_table


def rules(json: Json = False) -> int:
    """Every rule: what a violation does, its code, what the requester sees, its source of law."""
    from expectations.rules.book import entries

    return show(entries(), json, _print)


def _print(book: list[dict[str, str]]) -> None:
    columns = ("id", "scope", "phase", "severity", "code", "message")
    print_table(
        "Rules",
        ["rule", *columns[1:], "the requester sees", "source"],
        [[*(rule[c] for c in columns), _seen(rule), rule["source"]] for rule in book],
    )


def _seen(rule: dict[str, str]) -> str:
    """What the requester reads: how to fix it, and the code if that is another than the rule's own."""
    return rule["fix"] if rule["shown"] == rule["code"] else f"{rule['shown']}: {rule['fix']}"
