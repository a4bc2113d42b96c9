"""`sluicegate nightly`: the run that nobody watches."""

from __future__ import annotations

from typing import Any

from flows.cli.command import Json, show
from flows.home.tree import open_home
from flows.operations.printing import flat, print_table


def nightly(json: Json = False) -> int:
    """Test the gates, then run everything in the inbox that is not done; one summary."""
    from flows.schedule import server

    home = open_home()
    server.warm_up(home)()
    from flows.schedule.nightly import exit_code, run_nightly

    summary = run_nightly(home, quiet=json)
    return show(summary, json, _print, exit_code(summary))


def _print(summary: dict[str, Any]) -> None:
    batches = [[flat(cell) for cell in row] for row in summary["batches"]]
    print_table("Nightly", ["submission", "batch", "state", "codes"], batches)
    for due in summary["recalls"]:
        print(f"Recall {due['case']}: {due['deadline']} is {due['status']}, due {due['at']}")
    print(f"Gate self-test: {summary['selftest']}. Signed head of the audit log: {summary.get('signed_head', 'none')}")
