"""`sluicegate docs`: checkpoint results as GX Data Docs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.command import OneOrAll
from flows.home.tree import open_home


def docs(
    out: Annotated[Path, typer.Option(help="Folder for the pages.")],
    batch: OneOrAll = None,
) -> None:
    """Render checkpoint results as GX Data Docs: counts and rule ids only."""
    from expectations.gx import docs as pages
    from flows.reports.status import verdicts

    print(pages.render(verdicts(open_home(), batch), out))
