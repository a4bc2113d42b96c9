"""`sluicegate preflight`: what a requester runs on its own side before it sends anything. Needs no home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from expectations import codes
from expectations.base.clock import Clock
from expectations.base.duck import default_settings
from expectations.base.errors import DONE, BadInput
from expectations.instruments import Agreement, parse_instrument
from flows.cli.command import Json, file_bytes, show
from flows.operations.printing import print_table
from flows.operations.progress import Reporter

if TYPE_CHECKING:
    from pipelines.preflight import Report, Tally

_WHAT = (
    "A submission's folder (signed or not yet), or a table of addresses: .csv, .csv.gz, .csv.zst or .parquet with id,"
    " and address or street, unit, city, state, zip."
)


def preflight(
    what: Annotated[Path, Argument(metavar="SUBMISSION|FILE", help=_WHAT)],
    out: Annotated[Path, Option(metavar="VERDICTS", help="Where the verdicts go: .csv or .parquet.")],
    agreement: Annotated[
        Path | None, Option(help="The agreement, as TOML: its signers, statutes, limits and premises count too.")
    ] = None,
    json: Json = False,
) -> int:
    """Check a submission, or a table of addresses, before it is sent: what is wrong, and how to fix it.

    VERDICTS has a row for each row given: id, complete, codes, where it stands, message, fix.

    Exit codes: 0 the verdicts are written, and no problems were found in the letter or the batch (single rows may have
    codes); 5 fix those first.
    """
    from pipelines import preflight as checks

    under = agreement_in(agreement) if agreement else None
    duck = default_settings()
    with Reporter(quiet=json) as report:
        if not what.is_dir():
            premises = under.requester.premises if under else ()
            tally = checks.check_addresses(what, out, premises=premises, duck=duck)
            return show(_counts(tally, out, under), json, lambda _: _print_tally(tally, out))
        found = checks.check_submission(what, out, agreement=under, clock=Clock(), duck=duck, progress=report)
    ended = BadInput.exit_code if found.findings else DONE
    return show(counted(found, out, under), json, lambda _: print_report(found, out, under), ended)


def agreement_in(path: Path) -> Agreement:
    """The agreement in a file; raises BadInput if it holds none."""
    found = parse_instrument(file_bytes(path), path.name)
    if not isinstance(found, Agreement):
        wrong, remedy = "it is not an agreement", "Give the agreement's file."
        raise BadInput("INSTRUMENT_KIND", wrong, where=path.name, remedy=remedy)
    return found


def counted(found: Report, out: Path | None, under: Agreement | None) -> dict[str, Any]:
    """A report on a submission as JSON; `out`: where the verdicts went, if they were kept."""
    return {**_counts(found.tally, out, under), "findings": [vars(f) for f in found.findings]}


def _counts(tally: Tally | None, out: Path | None, under: Agreement | None) -> dict[str, Any]:
    counts = tally.summary() if tally else {}
    return {**counts, "agreement": under.id if under else None, "verdicts": str(out) if tally and out else None}


def _print_tally(tally: Tally, out: Path | None) -> None:
    share = f"{tally.incomplete_share:.2%}"
    print_table("Pre-flight", ["rows", "complete", "share incomplete"], [(tally.rows, tally.complete, share)])
    if tally.codes:
        rows = [(name, n, tally.first[name], codes.code(name).fix) for name, n in sorted(tally.codes.items())]
        print_table("Rows to fix", ["code", "rows", "first row", "how to fix them"], rows)
    if out:
        print(f"Verdicts: {out}")


def print_report(found: Report, out: Path | None, under: Agreement | None) -> None:
    """A report on a submission, for people."""
    if found.tally:
        _print_tally(found.tally, out)
    print("Fix in the letter or the batch:" if found.findings else "No problems found in the letter or the batch.")
    for f in found.findings:
        print(f"  {f.code} ({f.where}): {f.message.rstrip('.')}. {f.fix} [{f.source}]")
    if under is None:
        print("Not checked without --agreement: signer, statute, office, purpose, age of the letter, limits, shares.")
