"""`sluicegate status`: where batches stand."""

from __future__ import annotations

from typing import Any

from flows.cli.command import Json, OneOrAll, show
from flows.home.tree import open_home
from flows.operations.printing import flat, print_table


def status(batch: OneOrAll = None, json: Json = False) -> int:
    """Show where batches stand."""
    from flows.reports import status as states

    home = open_home()
    return show(states.one(home, batch), json, _print_batch) if batch else show(states.every(home), json, _print_all)


def print_summary(summary: dict[str, Any]) -> None:
    """How a batch ended, as `flows.reports.status.batch_summary` gives it: outcomes, why, and what to do next."""
    print_table(f"Batch {summary['batch']}: {summary['state']}", ["outcome", "rows"], summary["outcomes"].items())
    if summary["codes"]:
        print("Why: " + "; ".join(flat(part) for part in (summary["codes"], summary["cites"]) if part))
    print(summary["next"])


def _print_batch(summary: dict[str, Any]) -> None:
    print_summary(summary)
    print_table("Checkpoints", ["checkpoint", "status", "checks", "failed"], summary["checkpoints"])
    print_table("Events", ["seq", "at", "kind"], summary["events"])


def _print_all(found: dict[str, Any]) -> None:
    keys = ["batch", "state", "agreement", "received", "rows", "codes"]
    print_table("Batches", keys, [[flat(batch[k]) for k in keys] for batch in found["batches"]])
    if found["halts"]:
        print(f"Releases are halted ({found['halts']} halts stand).")
