"""Commands that make data: registers and signed request batches, all of it invented."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from expectations.clock import Clock
from flows.home import Home, home_path, open_home
from flows.progress import Reporter

app = typer.Typer(help="Made-up registers and batches with known truth.", no_args_is_help=True)


class Profile(StrEnum):
    CLEAN = "clean"
    INCIDENT = "incident"
    HOSTILE = "hostile"


@app.command()
def register(
    rows: Annotated[int, typer.Option(min=1, help="Persons.")],
    out: Annotated[Path, typer.Option(help="Folder for persons/ and addresses/.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same register.")] = 1,
) -> int:
    """Make a raw register of invented persons."""
    from expectations.duck import default_settings
    from pipelines import simulate

    with Reporter() as report:
        simulate.register(rows, seed, out, duck=default_settings(str(out / ".spill")), progress=report)
    print(f"{rows:,} persons in {out}")
    return 0


@app.command()
def batch(
    register: Annotated[Path, typer.Option(help="A raw register made by simulate register.")],
    rows: Annotated[int, typer.Option(min=1, help="Requests.")],
    out: Annotated[Path, typer.Option(help="Folder for submission/ and truth.parquet.")],
    seed: Annotated[int, typer.Option(help="The same seed, date and register give the same batch.")] = 1,
    profile: Annotated[Profile, typer.Option(help="Proportions; see the README.")] = Profile.INCIDENT,
    letter_date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Date of the letter; today.")
    ] = None,
    agreement: Annotated[str, typer.Option(help="Agreement that the letter names.")] = "sandbox-2026",
    incomplete_share: Annotated[float | None, typer.Option(min=0, max=1, help="Share of incomplete addresses.")] = None,
) -> int:
    """Make a signed submission against a made-up register, with the truth beside it. Needs a sandbox home for its keys."""
    from flows.sandbox import make_batch

    home = open_home() if (home_path() / "sluicegate.toml").exists() else _sandbox()
    day: date = letter_date.date() if letter_date else Clock().today("America/New_York")
    with Reporter() as report:
        made = make_batch(home, register, rows, seed, profile.value, out, day, agreement, incomplete_share, report)
    print(f"{rows:,} rows in {made}; the truth in {out / 'truth.parquet'}")
    return 0


def _sandbox() -> Home:
    from flows.sandbox import init

    print(f"No home yet: a sandbox is made in {home_path()}")
    return init(home_path(), sandbox=True, settings={})
