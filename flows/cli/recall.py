"""`sluicegate recall`: open a case, see what is due, take the next step, look at its documents."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option, echo

from expectations.base import signatures
from expectations.base.errors import DONE, Fault
from flows.cases import Step
from flows.cli.command import KEY, Json, at_home, group, here, one_of, show
from flows.home.tree import open_home
from flows.ledger.lifecycles.cases import CaseReason
from flows.operations.printing import flat, print_table

app = group(name="recall", help="Recalls: getting a wrong disclosure back.")
_SINCE = "When it was discovered, in UTC; if left out, now."
_DISCOVERED = Option(formats=["%Y-%m-%dT%H:%M"], metavar="YYYY-MM-DDTHH:MM", help=_SINCE)
Taken = Annotated[Step, Argument(metavar="STEP", help=one_of(Step))]
RestsOn = Annotated[Path | None, Option(help="What the step rests on.")]
Case = Annotated[str, Argument(help="The case, as recall list shows it.")]


@app.command("open")
def open_(
    reason: Annotated[CaseReason, Option(metavar="REASON", help=one_of(CaseReason))],
    operator: Annotated[str, Option(metavar="NAME", help="The enrolled operator who opens it.")],
    batch: Annotated[str | None, Option(help="The batch whose disclosures are recalled.")] = None,
    rows: Annotated[Path | None, Option(help="Ordinals of its rows, one a line, or Parquet.")] = None,
    all_: Annotated[bool, Option("--all", help="Every row that it released.")] = False,
    listed: Annotated[Path | None, Option("--from", help="A lookback's sealed list, instead of a batch.")] = None,
    discovered: Annotated[datetime | None, _DISCOVERED] = None,
    json: Json = False,
) -> int:
    """Open a case, and freeze at once: the recall list goes into the outbox.

    There is a case for each agreement. Nobody signs it: to freeze is always safe. It may be run again: what was done
    stays as it is.
    """
    from flows.cases.opening import Chosen, open_cases

    home = open_home()
    moment = discovered.replace(tzinfo=UTC) if discovered else None
    opened = open_cases(home, home.clock(), Chosen.of(batch, rows, all_, listed), reason, operator, moment)
    if not home.config.contact:
        echo("contact is not set in sluicegate.toml: write it into the incident report by hand", err=True)
    cases = [{"case": c.id, "state": c.state.value, "rows": c.rows, "agreement": c.agreement} for c in opened]
    return show(cases, json, lambda cases: _print_opened(cases, home.root / "recalls"))


def _print_opened(cases: list[dict[str, Any]], folder: Path) -> None:
    for case in cases:
        print(f"{case['case']}: {case['rows']:,} rows, {case['state']}. Its documents: {folder / case['case']}")
        print(f"Next: sluicegate recall show {case['case']}")


@app.command("list")
def list_(json: Json = False) -> int:
    """All cases, with the deadlines that have passed or soon will."""
    from flows.cases import watching

    with at_home() as (home, ledger):
        return show(watching.every(home, ledger), json, _print_all)


def _print_all(found: list[dict[str, Any]]) -> None:
    keys = ["case", "state", "agreement", "reason", "rows"]
    print_table("Recalls", ["", *keys], [["!" if c["due"] else "", *(c[k] for k in keys)] for c in found])
    for case in found:
        for due in case["due"]:
            status = "PASSED at" if due["status"] == "passed" else "is due"
            print(f"! {case['case']}: {due['deadline']} {status} {due['at']}")


@app.command("show")
def show_(case: Case, json: Json = False) -> int:
    """A case: what is affected, what is due when, and what to do next.

    The steps taken are shown with their proofs.
    """
    from flows.cases import watching

    with at_home() as (home, ledger):
        return show(watching.one(home, ledger, case), json, _print_case)


def _print_case(case: dict[str, Any]) -> None:
    rows = f"{case['rows']:,} rows recalled ({case['reason']})"
    print(f"{case['case']}: {case['state']}, {rows}, agreement {case['agreement']}")
    print_table("Batches", ["batch", "rows"], case["batches"].items())
    dues = [[d["deadline"], d["status"], d["at"] or "", flat(d["waits_for"]), d["source"]] for d in case["deadlines"]]
    print_table("Deadlines", ["deadline", "status", "at", "waits for", "source"], dues)
    steps = [[value or "" for value in step.values()] for step in case["steps"]]
    print_table("Steps", ["event", "at", "state", "proof", "rests on"], steps)
    if case["signed"]:
        print(f"Signed by {', '.join(case['signed'])}; a second, different operator must sign.")
    print(f"Next: {case['next']}")


@app.command()
def advance(case: Case, step: Taken, file: RestsOn = None, key: Annotated[Path | None, KEY] = None) -> None:
    """Take the next step of a case.

    Exit code 4: an order in force forbids it.
    """
    from flows.cases.advancing import advance as take
    from flows.cases.steps import HandedIn, by_key

    sign = by_key(signatures.load(key) if key else None)
    found = take(*here(), case, step, HandedIn.of(step, file), sign)
    print(f"{case} is {found.state}. Next: sluicegate recall show {case}")


@app.command()
def documents(case: Case, json: Json = False) -> int:
    """The documents of a case, each compared with the digest in the ledger.

    A notice that has become due is issued. Exit code 1: a document is missing or was changed.
    """
    from flows.cases import advancing, places
    from flows.cases import documents as papers

    home = open_home()
    found = papers.check(home, advancing.issue(home, home.clock(), case))
    listed = [dict(zip(("name", "state", "digest", "lies there"), d, strict=True)) for d in found]
    ended = DONE if all(lies == "unchanged" for *_, lies in found) else Fault.exit_code
    titles = ["document", "issued when", "digest", "lies there"]
    return show(listed, json, lambda _: print_table(str(places.folder(home, case)), titles, found), ended)
