"""`sluicegate submission`: what a requester runs on its own side to make a submission. Needs no home."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.duck import default_settings
from expectations.base.errors import DONE, BadInput
from flows.cli.command import Json, group, show
from flows.cli.preflight import agreement_in, counted, print_report
from flows.home.tree import home_path, open_home
from flows.operations.progress import Reporter

app = group(name="submission", help="Make a signed submission of a table, or an example of one.")

_TABLE = "Your requests: .csv, .jsonl or .parquet, and .gz or .zst behind that if compressed."


@app.command()
def pack(
    table: Annotated[Path, Argument(metavar="TABLE", help=_TABLE)],
    letter: Annotated[Path, Option(metavar="FACTS", help="The letter as TOML without its files; without date: today.")],
    key: Annotated[Path, Option(help="The signatory's private key (Ed25519, OpenSSH form).")],
    out: Annotated[Path, Option(metavar="DIR", help="Where the submission goes: a new folder.")],
    agreement: Annotated[Path | None, Option(help="The agreement, as TOML: its terms are checked too.")] = None,
    verdicts: Annotated[
        Path | None, Option(metavar="FILE", help="Where a verdict on each row goes: .csv or .parquet.")
    ] = None,
    json: Json = False,
) -> int:
    """Make a signed submission of a table: copies it, counts its rows, writes the letter and signs it.

    It is checked as by `sluicegate preflight`, and put in place whole, or not at all.

    Exit code 5: the letter, the table or the batch must be fixed first; there is no submission.
    """
    from pipelines import preflight

    under = agreement_in(agreement) if agreement else None
    with Reporter(quiet=json) as report:
        packer = preflight.Packer(signatures.load(key), Clock(), default_settings(), under)
        found = preflight.pack(table, letter, out, packer, verdicts=verdicts, progress=report)
    made = None if found.findings else out
    result = {**counted(found, verdicts, under), "submission": str(made) if made else None}

    def people(_: object) -> None:
        print_report(found, verdicts, under)
        print(f"Submission: {made}" if made else "There is no submission: fix this, and pack again.")

    return show(result, json, people, BadInput.exit_code if found.findings else DONE)


@app.command()
def example(out: Annotated[Path, Argument(metavar="DIR", help="A new folder.")]) -> None:
    """Write an invented example: a table and the facts of a letter for `pack`, and a finished submission to read.

    In a sandbox also one that is dated today and signed by its requester, in DIR/submission: ready for the inbox.
    """
    from pipelines.preflight import example as shipped

    if (home_path() / "sluicegate.toml").exists() and (home := open_home()).config.sandbox:
        from flows.sandbox.home import make_example

        make_example(home, out)
        print(f"{out}/submission is signed and can be moved into {home.inbox}")
    else:
        shipped.write(out)
    print(f"{out}/{shipped.TABLE} and {shipped.FACTS} are what sluicegate submission pack takes")
    print(f"{out}/{shipped.SAMPLE} is a finished submission to read; {shipped.SIGNATORY} proves its signature")
