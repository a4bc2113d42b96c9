"""`sluicegate simulate` and `match`: made-up data with known truth, and the match stage alone, to evaluate it."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

from typer import BadParameter, Option

from expectations.base.clock import Clock
from expectations.base.duck import default_settings
from expectations.codes import code
from flows.cli.command import Json, day_option, group, one_of, show
from flows.home.tree import home_path, open_home
from flows.operations.printing import print_table
from flows.operations.progress import Reporter
from flows.sandbox.home import init as make_home
from flows.sandbox.home import make_batch
from pipelines import simulate
from pipelines.simulate.profiles import Kind

app = group(name="simulate", help="Made-up registers and batches with known truth.")


@app.command()
def register(
    rows: Annotated[int, Option(min=1, help="Persons.")],
    out: Annotated[Path, Option(help="Folder for persons/ and addresses/.")],
    seed: Annotated[int, Option(help="The same seed gives the same register.")] = 1,
) -> None:
    """Make a raw register of invented persons."""
    with Reporter() as report:
        simulate.register(rows, seed, out, duck=default_settings(str(out / ".spill")), progress=report)
    print(f"{rows:,} persons in {out}")


@app.command()
def batch(
    register: Annotated[Path, Option(help="A raw register made by simulate register.")],
    rows: Annotated[int, Option(min=1, help="Requests.")],
    out: Annotated[Path, Option(help="Folder for submission/ and truth.parquet.")],
    seed: Annotated[int, Option(help="The same seed, date and register give the same batch.")] = 1,
    profile: Annotated[Kind, Option(metavar="KIND", help=f"{one_of(Kind)} Their proportions: README.")] = Kind.INCIDENT,
    letter_date: Annotated[date | None, day_option("--date", "Date of the letter; if left out, today.")] = None,
    agreement: Annotated[str, Option(help="Agreement that the letter names.")] = "sandbox-2026",
    incomplete_share: Annotated[float | None, Option(min=0, max=1, help="Share of incomplete addresses.")] = None,
) -> None:
    """Make a signed submission against a made-up register, with the truth beside it.

    Only a sandbox home has the keys to sign it; one is made if there is no home.
    """
    if (home_path() / "sluicegate.toml").exists():
        home = open_home()
    else:
        print(f"No home yet: making a sandbox in {home_path()}")
        home = make_home(home_path(), sandbox=True, settings={})
    dated = letter_date or Clock().today("America/New_York")
    with Reporter() as report:
        made = make_batch(home, register, rows, seed, profile, out, dated, agreement, incomplete_share, report)
    print(f"{rows:,} rows in {made}; the truth in {out / 'truth.parquet'}")


def match(
    requests: Annotated[
        Path | None, Option(help="Raw request rows, CSV or Parquet: the columns of a submission, no letter needed.")
    ] = None,
    register: Annotated[Path | None, Option(help="A prepared register, or a raw one.")] = None,
    out: Annotated[Path | None, Option(help="Where the result goes: .csv or .parquet.")] = None,
    plan: Annotated[bool, Option("--plan", help="Print the SQL of the stage, step by step, and do nothing.")] = False,
    json: Json = False,
) -> int:
    """Match rows against a register, without screens, release or ledger.

    The result has one row a request: request_id, outcome (matched, ambiguous, near, unmatched), record_id, tier,
    evidence, corroboration, vetoes, plausible (how many records might be meant) and weight (for ranking near rows).
    """
    from pipelines import match as stage

    if plan:
        print(stage.plan())
        return 0
    if requests is None or register is None or out is None:
        raise BadParameter("--requests, --register and --out are needed, or --plan")
    with Reporter(quiet=json) as report:
        found = stage.match_file(requests, register, out, duck=default_settings(), progress=report)
    ended = show(found.outcomes, json, _print_outcomes)
    beside = sys.stderr if json else sys.stdout
    if not found.outcomes:
        print(f"{requests.name} has no rows: nothing was matched", file=beside)
    for name, rows in found.unread.items():
        print(f"{rows:,} row{'s' * (rows > 1)}: {code(name).message} It was no evidence.", file=beside)
    return ended


def _print_outcomes(outcomes: dict[str, int]) -> None:
    if outcomes:
        print_table("Match", ["outcome", "rows"], outcomes.items())
