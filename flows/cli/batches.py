"""`sluicegate run`, `nightly`, `watch`, `status` and `docs`: batches are run, and looked at."""

import os
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base.errors import Usage
from flows.cli import live
from flows.cli.command import Json, OneOrAll, show
from flows.console import site
from flows.home.tree import open_home
from flows.operations import delivery
from flows.operations.printing import flat, print_table
from flows.operations.progress import Reporter
from flows.reports import status as reports
from flows.schedule import run as runs
from flows.schedule import server
from flows.schedule.running import running
from flows.schedule.summary import exit_code, headline, shown
from flows.schedule.waiting import seen
from pipelines.lake.runner import Runner


def run(
    what: Annotated[str, Argument(metavar="SUBMISSION|BATCH", help="A submission's folder, or a batch's name.")],
    register: Annotated[Path | None, Option(help="Register to run against, instead of sluicegate.toml's.")] = None,
    runner: Annotated[Runner | None, Option(help="Where Beam runs, instead of sluicegate.toml's.")] = None,
    operator: Annotated[str | None, Option(metavar="NAME", help="The enrolled operator who takes it in.")] = None,
    json: Json = False,
) -> int:
    """Run a submission, or a batch that waits, until it is released, held or refused.

    Exit codes: 0 released, 3 held, 4 refused, 5 bad input.
    """
    home = open_home()
    # the flow opens the home again, in this process: the environment carries the choice there
    if register:
        os.environ["SLUICEGATE_REGISTER_FOLDER"] = str(register.resolve())
    if runner:
        os.environ["SLUICEGATE_RUNNER"] = runner
    if register or runner:
        home = open_home(home.root)
    record = runs.run(home, what, Reporter(quiet=json), operator)
    return show(reports.batch_summary(home, record), json, print_summary, runs.EXIT_CODES[record.state])


def nightly(json: Json = False) -> int:
    """Test the gates, then run everything in the inbox that is not done; one summary."""
    home = open_home()
    server.warm_up(home)()
    from flows.schedule.nightly import run_nightly

    summary = run_nightly(home, quiet=json)
    return show(summary, json, _print_nightly, exit_code(summary))


def _print_nightly(summary: dict[str, Any]) -> None:
    batches = [[flat(cell) for cell in row] for row in summary["batches"]]
    print_table("Nightly", ["submission", "batch", "state", "codes"], batches)
    print_waiting(summary["waiting"])
    print(
        f"Gate self-test: {summary['selftest']}. Signed head of the audit log: {summary.get('signed_head') or 'none'}"
    )
    print(f"{headline(summary).capitalize()}.")


def print_waiting(waiting: list[dict[str, Any]]) -> None:
    """What waits, as `flows.schedule.waiting` tells it, with why and what to do beneath; in lines of 80 columns."""
    for one in waiting:
        kind, id, since, until, codes, why, to_do = shown(one)
        times = [f"for {since}" if since else "", f"until {until}" if until else ""]
        named = f" (folder {one['folder']})" if one["folder"] else ""
        first = ", ".join(part for part in (f"{kind.capitalize()}: {id}{named}", *times, codes) if part)
        print(fill(first, 80, subsequent_indent="  ", break_long_words=False))
        aside = one["snoozed"]
        said = aside and f"set aside by {aside['by']} until {aside['until']}: {aside['why']}"
        for line in filter(None, (said, why, to_do)):
            print(fill(line, 80, initial_indent="    ", subsequent_indent="    ", break_long_words=False))


def watch(
    at_once: Annotated[int, Option(help="How many submissions at a time.", min=1, max=16)] = 1,
    every: Annotated[float, Option(help="Seconds between looks into the inbox.", min=0.1)] = 5.0,
    once: Annotated[bool, Option(help="Stop when the inbox holds nothing new.")] = False,
    emit: Annotated[
        bool, Option("--emit", help="Tell a Prefect server instead, whose triggers run the batches.")
    ] = False,
) -> int:
    """Run each submission in the inbox once it is complete, and each batch once it can go on, until stopped.

    Ctrl-C or SIGTERM stops it: no new submission is started, and it waits for the running batches to finish.
    """
    from flows.schedule.watch import relay
    from flows.schedule.watch import watch as watch_inbox

    if emit:
        return relay(open_home(), every=every, once=once)
    return watch_inbox(open_home(), at_once=at_once, every=every, once=once)


def status(
    batch: OneOrAll = None,
    json: Json = False,
    watch: Annotated[bool, Option("--watch", help="Show it anew every few seconds, until Ctrl-C.")] = False,
) -> int:
    """Show where batches stand, and what waits."""
    home = open_home()
    if watch:
        if batch or json:
            raise Usage("WATCHES_ALL", "--watch shows everything, for people", remedy="Leave BATCH and --json out.")
        return live.watch(home)
    if batch:
        return show(reports.one(home, batch), json, _print_batch)
    parts = [{"part": one.name, "pid": one.pid, "runs": one.lives} for one in running(home)]
    found = {**reports.every(home), "waiting": seen(home), "service": parts, "log": delivery.seen(home)}
    return show(found, json, _print_all)


def print_summary(summary: dict[str, Any]) -> None:
    """How a batch ended, as `flows.reports.status.batch_summary` gives it: outcomes, why, and what to do next."""
    print_table(f"Batch {summary['batch']}: {summary['state']}", ["outcome", "rows"], summary["outcomes"].items())
    if summary["codes"]:
        print("Why: " + "; ".join(flat(part) for part in (summary["codes"], summary["cites"]) if part))
    print(summary["next"])


def print_tries(held: dict[str, int]) -> None:
    """The rows that limits on tries held, as `flows.reports.status.tries` counts them."""
    if held:
        print_table("Held by the limits on tries", ["code", "rows"], held.items())


def _print_batch(summary: dict[str, Any]) -> None:
    print_summary(summary)
    if summary["signed_by"]:
        print(f"Letter signed by: {summary['signed_by']}")
    if summary["received_by"]:
        print(f"Taken in by: {summary['received_by']}")
    print_tries(summary["tries"])
    print_table("Checkpoints", ["checkpoint", "status", "checks", "failed"], summary["checkpoints"])
    print_table("Events", ["seq", "at", "kind"], summary["events"])


def _print_all(found: dict[str, Any]) -> None:
    keys = ["batch", "state", "agreement", "received", "rows", "codes"]
    print_table("Batches", keys, [[flat(batch[k]) for k in keys] for batch in found["batches"]])
    print_waiting(found["waiting"])
    for order in found["orders"]:
        late = ", which has passed" if order["late"] else ""
        print(f"Order {order['order']}: compliance is to be confirmed by {order['confirm_by']}{late}.")
    if found["service"]:
        said = [f"{part['part']} {'runs' if part['runs'] else 'has stopped'}" for part in found["service"]]
        print(f"Service: {', '.join(said)}.")
    print(f"{delivery.sentence(found['log'])}.")


def docs(out: Annotated[Path, Option(help="Folder for the pages.")], batch: OneOrAll = None) -> None:
    """Write what waits, each batch and what its checkpoints found as pages for a browser: counts, shares and codes."""
    print(site.write(open_home(), out, batch))
