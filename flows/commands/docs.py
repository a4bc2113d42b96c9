"""`sluicegate docs`: checkpoint results as GX Data Docs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.command import OneOrAll
from flows.home import open_home


def docs(
    out: Annotated[Path, typer.Option(help="Folder for the pages.")],
    batch: OneOrAll = None,
) -> None:
    """Render checkpoint results as GX Data Docs: counts and rule ids only."""
    from expectations.gx import docs as pages
    from flows.status import verdicts

    print(pages.render(verdicts(open_home(), batch), out))
