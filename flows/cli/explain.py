"""`sluicegate explain`: one row, and why it ended as it did."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base.errors import Usage
from flows.cli.command import KEY, LOOK, Batch, Json, Reference, here, looker, show
from flows.ledger.facts import View
from flows.ledger.looks import LookReason, Why
from flows.operations.printing import cited, print_table

Row = Annotated[int, Argument(help="Ordinal of the row: 0 for the first.", min=0)]
Values = Annotated[bool, Option("--show-values", help="Show the values to the operator of --key; an audit event.")]
Beside = Annotated[bool, Option("--register", help="Beside them what the register has; of the role auditor.")]


def explain(
    batch: Batch,
    row: Row,
    show_values: Values = False,
    register: Beside = False,
    key: Annotated[Path | None, KEY] = None,
    reason: Annotated[LookReason | None, LOOK] = None,
    reference: Reference = None,
    json: Json = False,
) -> int:
    """How a row was judged, rule by rule, how it was matched, and how it ended.

    Each rule that it met or failed is shown with its verdict, code, source of law and instruments.
    """
    from flows.replay.explain import explain as look

    found = look(*here(), batch, row, _look(key, reason, reference, register) if show_values or register else None)
    return show(found, json, lambda found: _print_row(f"{batch}#{row}", found))


def _look(key: Path | None, reason: LookReason | None, reference: str | None, register: bool) -> Any:
    from flows.replay.values import Look

    who, what = looker(key), View.REGISTER if register else View.VALUES
    if reason is None:
        raise Usage("WHY_LOOK", "who looks at values says why", remedy="Add --reason REASON (see --help).")
    return Look(who, what, Why.of(reason, reference))


def _print_row(row: str, found: dict[str, Any]) -> None:
    print(f"{row}: {found['outcome'] or 'no outcome yet'} {' '.join(found['codes'])}")
    if stopped := found.get("batch"):
        print(f"The batch is {stopped['state']}: {', '.join(stopped['codes'])}; {cited(stopped['cites'])}")
    rules = [[r["rule"], r["verdict"], r["code"], r["source"], cited(r["cites"])] for r in found["rules"]]
    print_table("Rules", ["rule", "verdict", "code", "source", "instruments"], rules)
    for title in ("match", "validate", "values", "register"):
        if found.get(title):
            print_table(title, ["field", "value"], found[title].items())
    if addresses := found.get("addresses on file"):
        print_table("addresses on file", list(addresses[0]), [list(one.values()) for one in addresses])
