"""`sluicegate register`: the holder's register, prepared, updated, and which versions of it are here."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from flows.cli.command import at_home, group
from flows.home import registers
from flows.home.tree import open_home
from flows.operations.printing import print_table
from flows.operations.progress import Reporter
from pipelines import lake, register

app = group(name="register", help="The holder's register.")
_SOURCE = (
    "Raw register: persons/ and addresses/ with Parquet or CSV parts, or a mapping.toml that says where and how they"
    " are written; if left out, the home's."
)
_DELTA = (
    "Folder with delta.toml (kind, effective_on), whole new and changed records in persons/ and addresses/, and"
    " removed.csv or removed.parquet with record_id."
)
Verify = Annotated[bool, Option("--verify", help="Read every byte of the current version again.")]


@app.command()
def build(
    source: Annotated[Path | None, Argument(help=_SOURCE)] = None,
    out: Annotated[Path | None, Option(help="Folder of the prepared register; if left out, in the home.")] = None,
) -> None:
    """Prepare a raw register: standardised columns, keys, buildings.

    Without it, run does so before the first batch. An extract with other columns, dates or delimiters, or with
    persons and addresses in one table, needs a mapping.toml beside it: infra/docs/register.md, and sluicegate schema
    register_mapping.
    """
    with Reporter() as report:
        prepared = registers.build_register(open_home(), source, out, report)
    _print_version(prepared)


@app.command()
def update(delta: Annotated[Path, Argument(help=_DELTA)]) -> None:
    """Apply a daily delta.

    The next batch runs against the new version; batches that have begun go on against theirs.
    """
    with at_home() as (home, ledger), Reporter() as report:
        prepared = registers.update_register(home, delta, ledger.clock.now().date(), report)
    _print_version(prepared)


@app.command()
def show(verify: Verify = False) -> None:
    """The prepared versions that are here, and which of them the next batch runs against."""
    versions = registers.listed(open_home(), verify=verify)
    rows = [
        (v["folder"].name, f"{v['persons']:,}", f"{v['changes']:,}", v["version"][:12], "next batch" * v["next"])
        for v in versions
    ]
    print_table("Register versions", ["name", "persons", "changes", "version", ""], rows)
    _print_version(versions[0]["folder"])


@app.command()
def forget(name: Annotated[str, Argument(help="A version as register show lists it.")]) -> None:
    """Delete a prepared version that no batch needs any more."""
    with at_home() as (home, ledger):
        registers.forget(home, ledger, name)
    print(f"{name} is deleted.")


def _print_version(prepared: Path) -> None:
    persons = register.persons(lake.stated(prepared))
    print(f"{persons:,} persons, version {register.version(prepared)}\n{prepared}")
