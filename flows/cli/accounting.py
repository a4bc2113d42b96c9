"""`sluicegate accounting`, `report` and `shred`: the record of disclosures, and the end of their evidence."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base.errors import DONE, HELD, REFUSED, Usage
from flows.cli.command import Batch, Json, Key, Looking, Reference, at_home, day_option, group, here, looker, show
from flows.ledger.looks import Why
from flows.operations.printing import flat, print_table
from flows.reports import Format
from pipelines.lake import durable

app = group(name="accounting", help="What was disclosed to whom: 26 USC 6103(p)(3), 5 USC 552a(c).")
RecordId = Annotated[str, Argument(metavar="RECORD_ID", help="The register's key; - reads it from stdin.")]
AsIf = Annotated[date | None, day_option("--as-of", "As if it were noon UTC of this day; sandboxes only.")]


@app.command()
def person(
    record_id: RecordId,
    key: Key,
    reason: Looking,
    reference: Reference = None,
    every: Annotated[bool, Option("--all", help="Those too that 552a(c)(3) keeps from the person.")] = False,
    json: Json = False,
) -> int:
    """To whom this person's record was disclosed.

    Disclosures that 5 USC 552a(c)(3) keeps from the person are left out. The look is recorded as an audit event before
    anything is shown.
    """
    from flows.reports.accounting import person as look

    who = looker(key)
    given = sys.stdin.readline() if record_id == "-" else record_id
    return show(look(*here(), given, who, Why.of(reason, reference), every), json, _print_disclosures)


def _print_disclosures(found: list[dict[str, Any]]) -> None:
    for one in found:
        recalls = [f"{case}: {state}" for case, state in one["recalls"].items()] or None
        print_table(f"{one['date']}, {one['batch']}", ["", ""], _lines({**one, "recalls": recalls}))
    print(f"{len(found)} disclosures.")


@app.command("show")
def show_(batch: Batch, json: Json = False) -> int:
    """The header of a batch's accounting, and its counts."""
    from flows.reports.accounting import show as look

    return show(look(*here(), batch), json, _print_batch)


def _print_batch(found: dict[str, Any]) -> None:
    plain = {k: v for k, v in found.items() if not isinstance(v, dict)}
    header = {k: v for k, v in (found["header"] or {}).items() if k not in plain}
    print_table(f"Accounting of {found['batch']}", ["", ""], _lines({**plain, **header}))
    print_table("Outcomes", ["outcome", "rows"], found["outcomes"].items())
    print_table("Codes (a row may have several)", ["code", "rows"], found["codes"].items())


@app.command()
def export(
    batch: Batch,
    out: Annotated[Path, Option(help="Where the CSV goes (0600).")],
    key: Key,
    reason: Looking,
    reference: Reference = None,
    every: Annotated[bool, Option("--all", help="Every request, not only what was disclosed.")] = False,
    agency_code: Annotated[str, Option(help="The agency's code on your form.")] = "",
    purpose_code: Annotated[str, Option(help="The purpose's code.")] = "",
    source_code: Annotated[str, Option(help="The code of your system of records.")] = "",
) -> None:
    """The accounting as a table: who, when, why, and for which period.

    It has the fields of a multiple record of disclosure (Form 5466-B). The look is recorded as an audit event before
    anything is shown.
    """
    from flows.reports.export import Codes
    from flows.reports.export import export as write

    codes = Codes(agency_code, purpose_code, source_code)
    why = Why.of(reason, reference)
    print(f"{write(*here(), batch, out, looker(key), why, codes, every):,} lines: {out}")


@app.command()
def corrections(
    notify: Annotated[bool, Option("--notify", help="Make the notices, and put them into the outbox.")] = False,
    operator: Annotated[str, Option(metavar="NAME", help="With --notify: the operator who sends them.")] = "",
    json: Json = False,
) -> int:
    """Who has records that the register has corrected since they were disclosed.

    They are due a notice: 5 USC 552a(c)(4). Exit code 3: one is due.
    """
    from flows.cases import corrections as work

    if notify and not operator:
        raise Usage("WHO_SENDS", "an operator sends notices", remedy="Add --operator NAME.")
    found = work.notify(*here(), operator) if notify else work.due(*here())
    return show(found, json, _print_corrections, HELD if found and not notify else DONE)


def _print_corrections(found: list[dict[str, Any]]) -> None:
    names = ("agreement", "recipient", "address", "disclosures")
    rows = [[*(one[n] for n in names), one.get("notice", "due")] for one in found]
    print_table("Corrected since they were disclosed", [*names, "notice"], rows)


def _lines(facts: dict[str, Any]) -> list[tuple[str, Any]]:
    """Lists and parties in one line each; nothing that is not known."""
    known = {k: [part for part in v.values() if part] if isinstance(v, dict) else v for k, v in facts.items()}
    return [(k, flat(v)) for k, v in known.items() if v is not None]


def report(
    batch: Annotated[str | None, Argument(metavar="BATCH", help="The declaration of this batch.")] = None,
    year: Annotated[int | None, Option(help="The annual report of this year instead.", min=1900, max=9998)] = None,
    agency: Annotated[str | None, Option(help="Of one requester only (with --year).")] = None,
    format: Annotated[Format, Option(help="How it is written.")] = Format.MD,
    out: Annotated[Path | None, Option(help="Write it to this file.")] = None,
) -> None:
    """How many were asked for, matched, disclosed and withheld, and why.

    Each number names the event of the ledger that it rests on. The declaration counts by codes that the requester
    never sees: it is the holder's own paper. The annual report (26 USC 6103(p)(3)(C)) is due within 90 days of the
    year's end.
    """
    from flows.reports.render import make, render

    text = render(make(*here(), batch, year, agency), format)
    if out is None:
        print(text, end="")
        return
    try:
        durable.write(out, text.encode())
    except OSError:
        raise Usage("OUT_UNWRITABLE", "the report cannot be written there", where="--out") from None
    print(f"Report: {out}")


def shred(batch: Batch, as_of: AsIf = None) -> int:
    """Destroy a batch's evidence and its key, once its retention has ended.

    The accounting stays. Exit code 4: the agreement, a court order or a case forbids it.
    """
    from flows.evidence.shred import shred as destroy

    with at_home(as_of) as (home, ledger):
        reasons = destroy(home, ledger, batch)
    for reason in reasons:
        print(f"The evidence of {batch} must stay: {reason}")
    if not reasons:
        print(f"The evidence of {batch} is destroyed; its accounting stays.")
        print("Backups that were made before still open it: destroy them.")
    return REFUSED if reasons else DONE
