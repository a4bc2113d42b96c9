"""`sluicegate register`: the holder's register, prepared, updated, and which versions of it are here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from expectations.base.clock import Clock
from flows.cli.command import at_home
from flows.home.tree import open_home
from flows.operations.printing import print_table
from flows.operations.progress import Reporter

app = typer.Typer(name="register", help="The holder's register.", no_args_is_help=True)


@app.command()
def build(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Raw register: persons/ and addresses/ with Parquet or CSV parts, or a mapping.toml that says where"
            " and how they are written; if left out, the home's."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the prepared register; if left out, in the home.")] = None,
) -> None:
    """Prepare a raw register: standardised columns, keys, buildings.

    Without it, run does so before the first batch. An extract with other columns, dates or delimiters, or with
    persons and addresses in one table, needs a mapping.toml beside it: infra/docs/register.md, and sluicegate schema
    register_mapping.
    """
    from flows.home.registers import build_register

    with Reporter() as report:
        prepared = build_register(open_home(), source, out, report)
    _print_version(prepared)


@app.command()
def update(
    delta: Annotated[
        Path,
        typer.Argument(
            help="Folder with delta.toml (kind, effective_on), whole new and changed records in persons/ and"
            " addresses/, and removed.csv or removed.parquet with record_id."
        ),
    ],
) -> None:
    """Apply a daily delta.

    The next batch runs against the new version; batches that have begun go on against theirs.
    """
    from flows.home.registers import update_register

    with Reporter() as report:
        prepared = update_register(open_home(), delta, Clock().now().date(), report)
    _print_version(prepared)


@app.command()
def show(
    verify: Annotated[bool, typer.Option("--verify", help="Read every byte of the current version again.")] = False,
) -> None:
    """The prepared versions that are here, and which of them the next batch runs against."""
    from flows.home.registers import listed

    versions = listed(open_home(), verify=verify)
    rows = [
        (
            v["folder"].name,
            f"{v['persons']:,}",
            f"{v['changes']:,}",
            v["version"][:12],
            "next batch" if v["next"] else "",
        )
        for v in versions
    ]
    print_table("Register versions", ["name", "persons", "changes", "version", ""], rows)
    _print_version(versions[0]["folder"])


@app.command()
def forget(name: Annotated[str, typer.Argument(help="A version as register show lists it.")]) -> None:
    """Delete a prepared version that no batch needs any more."""
    from flows.home.registers import forget as delete

    with at_home() as here:
        delete(here.home, here.ledger, name)
    print(f"{name} is deleted.")


def _print_version(prepared: Path) -> None:
    from pipelines import register as registers

    print(f"{registers.persons(registers.open_register(prepared)):,} persons, version {registers.version(prepared)}")
    print(prepared)
