"""Commands for recalls: open a case, see what is due, take the next step, look at its documents."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from expectations import signatures
from expectations.clock import Clock
from expectations.errors import Fault, Usage
from flows.commands.output import print_json, print_table
from flows.home import open_home
from flows.ledger.cases import CaseReason

app = typer.Typer(help="Recalls: getting a wrong disclosure back.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Case = Annotated[str, typer.Argument(help="As list shows it.")]


@app.command("open")
def open_(
    reason: Annotated[CaseReason, typer.Option(help="Why, from the closed list.")],
    batch: Annotated[str | None, typer.Option(help="The batch whose disclosures are recalled.")] = None,
    rows: Annotated[Path | None, typer.Option(help="Ordinals of its rows, one a line, or Parquet.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every row that it released.")] = False,
    listed: Annotated[Path | None, typer.Option("--from", help="A lookback's sealed list, instead of a batch.")] = None,
    discovered: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M"], help="When it was discovered, in UTC; now, if left out."),
    ] = None,
    json: Json = False,
) -> int:
    """Open a case, and freeze at once: the recall list goes into the outbox. Safe to repeat. A case for each agreement."""
    from flows.cases.opening import Chosen, open_cases

    if (listed is None) == (batch is None) or (batch is not None and (rows is None) != all_):
        raise Usage(
            "WHICH_ROWS",
            "say which rows are recalled",
            remedy="--batch BATCH with --rows FILE or --all; or --from LIST.",
        )
    home = open_home()
    moment = discovered.replace(tzinfo=UTC) if discovered else None
    opened = open_cases(home, Clock(), Chosen(batch or "", rows, listed), reason, moment)
    if not home.config.contact:
        typer.echo("contact is not set in sluicegate.toml: write it into the incident report by hand", err=True)
    found = [{"case": c.id, "state": c.state.value, "rows": c.rows, "agreement": c.agreement} for c in opened]
    if json:
        print_json(found)
    else:
        for c in opened:
            print(f"{c.id}: {c.rows:,} rows, {c.state}. Its documents: {home.root / 'recalls' / c.id}")
            print(f"Next: sluicegate recall show {c.id}")
    return 0


@app.command("list")
def list_(json: Json = False) -> int:
    """All cases, with the deadlines that have passed or soon will."""
    from flows.cases import watching

    found = watching.every(open_home(), Clock())
    if json:
        print_json(found)
        return 0
    keys = ["case", "state", "agreement", "reason", "rows"]
    print_table("Recalls", ["", *keys], [["!" if c["due"] else "", *(c[k] for k in keys)] for c in found])
    for case in found:
        for due in case["due"]:
            print(
                f"! {case['case']}: {due['deadline']} {'PASSED at' if due['status'] == 'passed' else 'is due'} {due['at']}"
            )
    return 0


@app.command()
def show(case: Case, json: Json = False) -> int:
    """A case: what is affected, what is due when, the steps taken with their proofs, and what to do next."""
    from flows.cases import watching

    found = watching.one(open_home(), Clock(), case)
    if json:
        print_json(found)
        return 0
    print(
        f"{case}: {found['state']}, {found['rows']:,} rows recalled ({found['reason']}), agreement {found['agreement']}"
    )
    print_table("Batches", ["batch", "rows"], found["batches"].items())
    print_table("Deadlines", ["deadline", "status", "at", "waits for", "source"],
                [[d["deadline"], d["status"], d["at"] or "", ", ".join(d["waits_for"]), d["source"]] for d in found["deadlines"]])  # fmt: skip
    print_table(
        "Steps", ["event", "at", "state", "proof", "rests on"], [[v or "" for v in s.values()] for s in found["steps"]]
    )
    if found["signed"]:
        print(f"Signed by {', '.join(found['signed'])}; a second, different operator must sign.")
    print(f"Next: {found['next']}")
    return 0


@app.command()
def advance(
    case: Case,
    step: Annotated[str, typer.Argument(help="frozen, notified, copies, disposed, returned, attested or closed.")],
    file: Annotated[Path | None, typer.Option(help="What the step rests on.")] = None,
    key: Annotated[Path | None, typer.Option(help="An operator's private key (Ed25519, OpenSSH form).")] = None,
) -> int:
    """Take the next step of a case. Exit code 4: an order in force forbids it."""
    from flows.cases.advancing import Step
    from flows.cases.advancing import advance as take

    if step not in tuple(Step):
        raise Usage("UNKNOWN_STEP", "there is no such step", remedy=f"Choose one of: {', '.join(Step)}.")
    found = take(open_home(), Clock(), case, Step(step), file, signatures.load(key) if key else None)
    print(f"{case} is {found.state}. Next: sluicegate recall show {case}")
    return 0


@app.command("documents")
def documents_(case: Case, json: Json = False) -> int:
    """The documents of a case, each compared with the digest in the ledger; issues a notice that has become due.

    Exit code 1: a document is missing or was changed.
    """
    from flows.cases import advancing, documents, places

    home = open_home()
    record = advancing.issue(home, Clock(), case)
    found = documents.check(home, record)
    if json:
        print_json([dict(zip(("name", "state", "digest", "lies there"), d, strict=True)) for d in found])
    else:
        print_table(str(places.folder(home, case)), ["document", "issued when", "digest", "lies there"], found)
    return 0 if all(d[3] == "unchanged" for d in found) else Fault.exit_code
