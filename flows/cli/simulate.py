"""`sluicegate simulate`: registers and signed batches of requests, all of it invented."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from expectations.base.clock import Clock
from flows.cli.command import DAY, day, one_of
from flows.home.tree import Home, home_path, open_home
from flows.operations.progress import Reporter
from pipelines.simulate.profiles import Kind

app = typer.Typer(name="simulate", help="Made-up registers and batches with known truth.", no_args_is_help=True)


@app.command()
def register(
    rows: Annotated[int, typer.Option(min=1, help="Persons.")],
    out: Annotated[Path, typer.Option(help="Folder for persons/ and addresses/.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same register.")] = 1,
) -> None:
    """Make a raw register of invented persons."""
    from expectations.base.duck import default_settings
    from pipelines import simulate

    with Reporter() as report:
        simulate.register(rows, seed, out, duck=default_settings(str(out / ".spill")), progress=report)
    print(f"{rows:,} persons in {out}")


@app.command()
def batch(
    register: Annotated[Path, typer.Option(help="A raw register made by simulate register.")],
    rows: Annotated[int, typer.Option(min=1, help="Requests.")],
    out: Annotated[Path, typer.Option(help="Folder for submission/ and truth.parquet.")],
    seed: Annotated[int, typer.Option(help="The same seed, date and register give the same batch.")] = 1,
    profile: Annotated[
        Kind, typer.Option(metavar="KIND", help=f"{one_of(Kind)} Their proportions: README.")
    ] = Kind.INCIDENT,
    letter_date: Annotated[
        date | None, typer.Option("--date", parser=day, metavar=DAY, help="Date of the letter; if left out, today.")
    ] = None,
    agreement: Annotated[str, typer.Option(help="Agreement that the letter names.")] = "sandbox-2026",
    incomplete_share: Annotated[float | None, typer.Option(min=0, max=1, help="Share of incomplete addresses.")] = None,
) -> None:
    """Make a signed submission against a made-up register, with the truth beside it.

    Only a sandbox home has the keys to sign it; one is made if there is no home.
    """
    from flows.sandbox.home import make_batch

    home = open_home() if (home_path() / "sluicegate.toml").exists() else _sandbox()
    dated = letter_date or Clock().today("America/New_York")
    with Reporter() as report:
        made = make_batch(home, register, rows, seed, profile, out, dated, agreement, incomplete_share, report)
    print(f"{rows:,} rows in {made}; the truth in {out / 'truth.parquet'}")


def _sandbox() -> Home:
    from flows.sandbox.home import init

    print(f"No home yet: making a sandbox in {home_path()}")
    return init(home_path(), sandbox=True, settings={})
