"""`sluicegate init`: the home tree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.home.tree import home_path


def init(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="With invented keys, operators, requester and agreement.")
    ] = False,
    register: Annotated[Path | None, typer.Option(help="The register, raw or prepared.")] = None,
) -> None:
    """Make the home tree (SLUICEGATE_HOME, or ./.sluicegate) and the holder's keys.

    It may be run again: what is there already stays as it is.
    """
    from flows.sandbox.home import init as make
    from flows.schedule import server

    settings = {"register_folder": str(register.resolve())} if register else {}
    home = make(home_path(), sandbox=sandbox, settings=settings)
    server.make_database(home)
    print(f"Home: {home.root}")
    print("Check it with: sluicegate doctor")
