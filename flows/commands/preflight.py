"""`sluicegate preflight`: what a requester runs on its own side before it sends anything. Needs no home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from expectations import codes
from expectations.clock import Clock
from expectations.duck import default_settings
from expectations.errors import BadInput
from expectations.instruments import Agreement, parse_instrument
from flows.commands.output import print_json, print_table
from flows.progress import Reporter

if TYPE_CHECKING:
    from pipelines.preflight import Finding, Tally

_MEND_FIRST = BadInput.exit_code


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(preflight)


def preflight(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="SUBMISSION|FILE",
            help="A submission's folder (signed or not yet), or a table of addresses: .csv, .csv.gz, .csv.zst or .parquet with"
            " id, and address or street, unit, city, state, zip.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="VERDICTS", help="Where the verdicts go: .csv or .parquet.")],
    agreement: Annotated[
        Path | None, typer.Option(help="The agreement, as TOML: its signers, statutes, limits and premises count too.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="The counts as one JSON document on stdout, no progress.")
    ] = False,
) -> int:
    """Check a submission, or a table of addresses, before it is sent: what is wrong, and what to fix.

    VERDICTS has a row for each row given: id, complete, codes, where it stands, message, fix. Exit codes: 0 the verdicts
    are written and the letter and the batch have no problems (single rows may have codes); 5 fix those first.
    """
    from pipelines import preflight as checks

    under = _agreement(agreement) if agreement else None
    with Reporter(quiet=json) as report:
        if not what.is_dir():
            premises = under.requester.premises if under else ()
            tally = checks.check_addresses(what, out, premises=premises, duck=default_settings())
            _print(tally, None, out, under, json)
            return 0
        found = checks.check_submission(
            what, out, agreement=under, clock=Clock(), duck=default_settings(), progress=report
        )  # fmt: skip
    _print(found.tally, found.findings, out, under, json)
    return _MEND_FIRST if found.findings else 0


def _agreement(path: Path) -> Agreement:
    try:
        found = parse_instrument(path.read_bytes(), path.name)
    except OSError:
        raise BadInput(
            "FILE_UNREADABLE", "the agreement cannot be read", where=path.name, remedy="Check its name and permissions."
        ) from None
    if not isinstance(found, Agreement):
        raise BadInput(
            "INSTRUMENT_KIND", "it is not an agreement", where=path.name, remedy="Give the agreement's file."
        )
    return found


def _print(
    tally: Tally | None, findings: tuple[Finding, ...] | None, out: Path, under: Agreement | None, as_json: bool
) -> None:
    if as_json:
        counts = tally.summary() if tally else {}
        batch = {} if findings is None else {"findings": [vars(f) for f in findings]}
        known = {"agreement": under.id if under else None, "verdicts": str(out) if tally else None}
        print_json({**counts, **batch, **known})
        return
    if tally:
        _print_tally(tally, out)
    if findings is not None:
        _print_findings(findings, under)


def _print_tally(tally: Tally, out: Path) -> None:
    print_table(
        "Pre-flight",
        ["rows", "complete", "share incomplete"],
        [(tally.rows, tally.complete, f"{tally.incomplete_share:.2%}")],
    )
    if tally.codes:
        rows = [(name, count, codes.code(name).fix) for name, count in sorted(tally.codes.items())]
        print_table("Rows to fix", ["code", "rows", "what to fix"], rows)
    print(f"Verdicts: {out}")


def _print_findings(findings: tuple[Finding, ...], under: Agreement | None) -> None:
    print("To fix in the letter or the batch:" if findings else "No problems found in the letter or the batch.")
    for f in findings:
        print(f"  {f.code} ({f.where}): {f.message.rstrip('.')}. {f.fix} [{f.source}]")
    if under is None:
        print(
            "Not checked without --agreement: signer, statute, office, purpose, age of the letter, limits and shares."
        )
