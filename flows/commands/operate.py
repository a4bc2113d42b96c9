"""Commands of the daily work: run, status, nightly, watch, docs, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from expectations.clock import Clock
from flows.commands.output import print_json, print_table
from flows.home import Home, open_home
from flows.progress import Reporter

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, no progress.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (run, status, nightly, watch, docs, demo):
        app.command()(command)


def run(
    what: Annotated[str, typer.Argument(metavar="SUBMISSION|BATCH", help="A submission's folder, or a batch's name.")],
    register: Annotated[
        Path | None, typer.Option(help="Register to run against, instead of sluicegate.toml's.")
    ] = None,
    runner: Annotated[str | None, typer.Option(help="Beam runner: embedded or flink.")] = None,
    json: Json = False,
) -> int:
    """Take a submission, or a batch that waits, as far as it goes. Exit codes: 0 released, 3 held, 4 refused, 5 bad input."""
    from flows import run as runs

    home = with_options(open_home(), register, runner)
    report = Reporter(quiet=json)
    record = runs.run(home, what, report)
    summary = summarise(home, record)
    print_json(summary) if json else _print_end(summary)
    return runs.exit_code(record)


def with_options(home: Home, register: Path | None, runner: str | None) -> Home:
    """This home with other choices for one command."""
    import os

    # the flow opens the home again, in this process: the environment carries the choice there
    if register:
        os.environ["SLUICEGATE_REGISTER"] = str(register.resolve())
    if runner:
        os.environ["SLUICEGATE_RUNNER"] = runner
    return open_home(home.root) if register or runner else home


def summarise(home: Home, record: Any) -> dict[str, Any]:
    """Counts and codes of a batch: what status shows of it."""
    from flows.status import batch_summary

    return batch_summary(home, record)


def _print_end(summary: dict[str, Any]) -> None:
    print_table(f"Batch {summary['batch']}: {summary['state']}", ["outcome", "rows"], summary["outcomes"].items())
    if summary["codes"]:
        print(f"Why: {', '.join(summary['codes'])}" + (f"; {', '.join(summary['cites'])}" if summary["cites"] else ""))
    print(summary["next"])


def status(
    batch: Annotated[str | None, typer.Argument(help="One batch; all, if left out.")] = None, json: Json = False
) -> int:
    """Show where batches stand."""
    from flows import status as states

    home = open_home()
    if batch:
        summary = states.one(home, batch)
        print_json(summary) if json else _print_batch(summary)
        return 0
    found = states.every(home)
    if json:
        print_json(found)
        return 0
    keys = ["batch", "state", "agreement", "received", "rows", "codes"]
    print_table("Batches", keys, [[_flat(b[k]) for k in keys] for b in found["batches"]])
    if found["halts"]:
        print(f"Releases are halted ({found['halts']} halts stand).")
    return 0


def _print_batch(summary: dict[str, Any]) -> None:
    _print_end(summary)
    print_table("Checkpoints", ["checkpoint", "status", "checks", "failed"], summary["checkpoints"])
    print_table("Events", ["seq", "at", "kind"], summary["events"])


def _flat(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list | tuple) else value


def nightly(json: Json = False) -> int:
    """Self-test of the gates, then everything in the inbox that is not done; one summary."""
    from flows import orchestrator

    home = open_home()
    orchestrator.warm_up(home)()
    from flows.nightly import exit_code, run_nightly

    summary = run_nightly(home, quiet=json)
    if json:
        print_json(summary)
    else:
        print_table(
            "Nightly", ["submission", "batch", "state", "codes"], [[_flat(c) for c in r] for r in summary["batches"]]
        )
        for due in summary["recalls"]:
            print(f"Recall {due['case']}: {due['deadline']} is {due['status']}, due {due['at']}")
        print(f"Gate self-test: {summary['selftest']}. Checkpoint of the chain: {summary.get('checkpoint', 'none')}")
    return exit_code(summary)


def watch(
    at_once: Annotated[int, typer.Option(help="How many submissions at a time.", min=1, max=16)] = 1,
    every: Annotated[float, typer.Option(help="Seconds between looks into the inbox.", min=0.1)] = 5.0,
    once: Annotated[bool, typer.Option(help="End when the inbox holds nothing new.")] = False,
) -> int:
    """Take up each submission in the inbox once it is complete, until stopped (Ctrl-C or SIGTERM: the batches at work end)."""
    from flows.watch import watch as keep_watch

    return keep_watch(open_home(), at_once=at_once, every=every, once=once)


def docs(
    out: Annotated[Path, typer.Option(help="Folder for the pages.")],
    batch: Annotated[str | None, typer.Argument(help="One batch; all, if left out.")] = None,
) -> int:
    """Render checkpoint results as GX Data Docs: counts and rule ids only."""
    from expectations.gx import docs as pages
    from flows.status import verdicts

    home = open_home()
    index = pages.render(verdicts(home, batch), out)
    print(index)
    return 0


def demo(
    home: Annotated[Path, typer.Option(help="Where to put the demo's home; made anew.")] = Path(".demo"),
    rows: Annotated[int, typer.Option(help="Rows of the made-up register.", min=1000)] = 100_000,
) -> int:
    """The incident, and what Sluicegate does about it, on made-up data."""
    from flows.demo import demo as show

    return show(home.resolve(), rows, Clock())
