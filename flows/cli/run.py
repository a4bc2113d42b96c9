"""`sluicegate run`: one submission, or one batch that waits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.command import Json, show
from flows.cli.status import print_summary
from flows.home.tree import Home, open_home
from flows.operations.progress import Reporter
from pipelines.lake.runner import Runner


def run(
    what: Annotated[str, typer.Argument(metavar="SUBMISSION|BATCH", help="A submission's folder, or a batch's name.")],
    register: Annotated[
        Path | None, typer.Option(help="Register to run against, instead of sluicegate.toml's.")
    ] = None,
    runner: Annotated[Runner | None, typer.Option(help="Where Beam runs, instead of sluicegate.toml's.")] = None,
    json: Json = False,
) -> int:
    """Run a submission, or a batch that waits, until it is released, held or refused.

    Exit codes: 0 released, 3 held, 4 refused, 5 bad input.
    """
    from flows.reports.status import batch_summary
    from flows.schedule import run as runs

    home = _with(open_home(), register, runner)
    record = runs.run(home, what, Reporter(quiet=json))
    return show(batch_summary(home, record), json, print_summary, runs.EXIT_CODES[record.state])


def _with(home: Home, register: Path | None, runner: Runner | None) -> Home:
    """This home with other choices for one command."""
    # the flow opens the home again, in this process: the environment carries the choice there
    if register:
        os.environ["SLUICEGATE_REGISTER"] = str(register.resolve())
    if runner:
        os.environ["SLUICEGATE_RUNNER"] = runner
    return open_home(home.root) if register or runner else home
