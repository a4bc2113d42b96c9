"""Commands that set things up: init and the register."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from expectations.clock import Clock
from flows.commands.output import print_table
from flows.home import home_path, open_home
from flows.progress import Reporter

register_app = typer.Typer(help="The holder's register.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(init)


def init(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="With invented keys, operators, requester and agreement.")
    ] = False,
    register: Annotated[Path | None, typer.Option(help="The register, raw or prepared.")] = None,
) -> int:
    """Make the home tree (SLUICEGATE_HOME, or ./.sluicegate) and the holder's keys. Safe to repeat."""
    from flows import orchestrator
    from flows.sandbox import init as make

    settings = {"register_folder": str(register.resolve())} if register else {}
    home = make(home_path(), sandbox=sandbox, settings=settings)
    orchestrator.make_database(home)
    print(f"Home: {home.root}")
    print("Look at it with: sluicegate doctor")
    return 0


@register_app.command("build")
def build(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Raw register: persons/ and addresses/ with Parquet or CSV parts, or a mapping.toml that says where and how"
            " they are written; the home's if left out."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the prepared register; in the home if left out.")] = None,
) -> int:
    """Prepare a raw register: standardised columns, keys, buildings. `run` does it before the first batch otherwise.

    An extract with other columns, dates or delimiters, or with persons and addresses in one table, needs a mapping.toml
    beside it: infra/docs/register.md, and sluicegate schema register_mapping.
    """
    from dataclasses import replace

    from flows.registers import current_register
    from pipelines import register as registers

    home = open_home()
    if source:
        home = replace(home, config=home.config.model_copy(update={"register_folder": str(source.resolve())}))
    with Reporter() as report:
        if out:
            registers.build(home.register, out, duck=home.duck, progress=report)
        prepared = out or current_register(home, report, anew=True)
    _print_version(prepared)
    return 0


@register_app.command("update")
def update(
    delta: Annotated[
        Path,
        typer.Argument(
            help="Folder with delta.toml (kind, effective_on), whole new and changed records in persons/ and addresses/, and"
            " removed.csv or removed.parquet with record_id."
        ),
    ],
) -> int:
    """Apply a daily delta: the next batch runs against the new version, batches under way go on against theirs."""
    from flows.registers import update_register

    home = open_home()
    with Reporter() as report:
        _print_version(update_register(home, delta, Clock().now().date(), report))
    return 0


@register_app.command("show")
def show(
    verify: Annotated[bool, typer.Option("--verify", help="Read every byte of the current version again.")] = False,
) -> int:
    """The prepared versions that are here, and which of them the next batch runs against."""
    from flows.registers import all_versions, current_register
    from pipelines import register as registers

    home = open_home()
    current = current_register(home)
    if verify:
        registers.open_register(current, verify=True)
    rows = []
    for folder in {current: None, **dict.fromkeys(all_versions(home))}:
        held = registers.listed(folder)
        rows.append(
            (folder.name, f"{registers.persons(held):,}", f"{held.rows('changes'):,}", registers.version(folder)[:12], "next batch" if folder == current else "")
        )  # fmt: skip
    print_table("Register versions", ["name", "persons", "changes", "version", ""], rows)
    _print_version(current)
    return 0


@register_app.command("forget")
def forget(name: Annotated[str, typer.Argument(help="A version as register show lists it.")]) -> int:
    """Delete a prepared version that no batch needs any more."""
    from flows.ledger.ledger import Ledger
    from flows.ledger.states import FINAL
    from flows.registers import forget as delete

    home = open_home()
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        needed = {b.register for b in ledger.batches() if b.state not in FINAL or (home.lake / b.name).exists()}
    delete(home, name, needed)
    print(f"{name} is deleted.")
    return 0


def _print_version(prepared: Path) -> None:
    from pipelines import register as registers

    print(f"{registers.persons(registers.open_register(prepared)):,} persons, version {registers.version(prepared)}")
    print(prepared)
