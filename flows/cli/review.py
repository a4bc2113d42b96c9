"""`sluicegate review`: what waits for people, and their signed decisions."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from expectations.base import signatures
from flows.cli.command import Batch, Json, Key, at_home, one_of, show
from flows.cli.status import print_summary
from flows.home.tree import open_home
from flows.ledger.decisions import KEYS_NEEDED, Decision, Reason
from flows.ledger.lifecycles.states import State
from flows.operations.printing import flat, print_table

app = typer.Typer(name="review", help="Held batches, and signed decisions on them.", no_args_is_help=True)


@app.command("list")
def list_(json: Json = False) -> int:
    """Batches that wait for people."""
    from flows.reports.review import waiting

    with at_home() as here:
        return show(waiting(here.ledger), json, _print_waiting)


def _print_waiting(held: list[dict[str, Any]]) -> None:
    rows = [[flat(value) for value in batch.values()] for batch in held]
    print_table("Held", ["batch", "checkpoint", "codes", "open decisions"], rows)


@app.command("show")
def show_(batch: Batch, json: Json = False) -> int:
    """Why a batch is held, what may be decided, and by whom.

    Each failed check is shown with its counts, rule id and source of law.
    """
    from flows.reports.review import review

    with at_home() as here:
        return show(review(here.home, here.ledger, batch), json, _print)


def _print(summary: dict[str, Any]) -> None:
    print_summary(summary)
    columns = ("checkpoint", "check", "failed", "rows", "code", "source")
    titles = ["checkpoint", "check", "failed", "of", "code", "source"]
    print_table("Failed checks", titles, [[failed[c] for c in columns] for failed in summary["failed"]])
    if summary["incomplete"]:
        print_table(
            "Incomplete addresses by code and file",
            ["code", "file", "rows", "share of the file"],
            [[code, file, rows, f"{share:.1%}"] for code, file, rows, share in summary["incomplete"]],
        )
    if summary["matches"]:
        _print_matches(summary["matches"])
    if summary["decisions"]:
        print_table("Decisions", ["at", "decision", "reason", "operator", "granted"], summary["decisions"])
    for name in summary["allowed"]:
        keys = KEYS_NEEDED[Decision(name)]
        signs = "one operator signs" if keys == 1 else f"{keys} operators sign"
        print(f"  {name}: {signs}: sluicegate review decide {summary['batch']} {name} --key KEY")


def _print_matches(m: dict[str, Any]) -> None:
    weak = m["tier_c"] + m["tier_d"]
    rate, weak_share = m["matched"] / max(m["looked_up"], 1), weak / max(m["matched"], 1)
    print_table(
        "Matches",
        ["", "rows", "share", "at least", "at most"],
        [
            ["looked up", m["looked_up"], "", "", ""],
            ["matched", m["matched"], f"{rate:.1%}", f"{m['min_match_rate']:.1%}", f"{m['max_match_rate']:.1%}"],
            *([f"tier {t}", m[f"tier_{t.lower()}"], "", "", ""] for t in "ABCD"),
            ["tiers C and D", weak, f"{weak_share:.1%}", "", f"{m['max_weak_tiers']:.1%}"],
        ],
    )


@app.command()
def decide(
    batch: Batch,
    decision: Annotated[Decision, typer.Argument(metavar="DECISION", help=one_of(Decision))],
    key: Key,
    reason: Annotated[Reason | None, typer.Option(metavar="REASON", help=one_of(Reason))] = None,
    content: Annotated[
        str | None, typer.Option(help="Content digest that you looked at; if left out, the batch's present one.")
    ] = None,
) -> None:
    """Sign a decision on a held batch.

    What needs two keys waits for the second. Then run the batch again.
    """
    from flows.batch.decisions import sign

    state = sign(open_home(), batch, decision, signatures.load(key), reason, content)
    if state is State.HELD:
        print(f"Signed. {batch} waits for a second, different operator.")
    else:
        print(f"Signed. {batch} is {state}. Next: sluicegate run {batch}")
