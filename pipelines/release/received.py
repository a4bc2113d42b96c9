"""The recipient's side of a package: opened whole into a folder, once its rows are proven to be those released."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from expectations.base.duck import DuckSettings, parquet
from expectations.base.errors import BadInput, Usage
from expectations.contracts.package import RELEASE
from pipelines.lake.locked_folder import locked_folder
from pipelines.lake.sql import quiet
from pipelines.release import forms
from pipelines.release.opened import open_package
from pipelines.release.package import ADDRESSES_CSV, ADDRESSES_PARQUET, RETURNS_CSV, eligible_digest
from pipelines.sealing import Identity

_AGAIN = "Do not use the rows; report this to the holder."


def open_received(
    package: Path, identity: Identity, out: Path, holders: Sequence[str], duck: DuckSettings
) -> dict[str, Any]:
    """Opens a package into the folder `out` (0700; new or empty), whole or not at all; returns its manifest.

    Raises BadInput as `open_package` does, or if a form does not hold the rows, or the return file the codes, that the
    manifest names (PACKAGE_CONTENT); Usage if `out` cannot be made or is not empty.
    """
    with _new_folder(out) as work:
        opened = work / "opened"
        manifest = open_package(package, identity, opened, holders)
        with quiet("package.open", replace(duck, temp=str(work / "spill"))) as connection:
            _check(connection, opened, manifest)
        opened.rename(out)  # over an empty folder, or none
    return manifest


def _check(connection: duckdb.DuckDBPyConnection, opened: Path, manifest: dict[str, Any]) -> None:
    counts = manifest["counts"]
    for name, rows in (
        (ADDRESSES_PARQUET, parquet([opened / ADDRESSES_PARQUET])),
        (ADDRESSES_CSV, f"({forms.read_csv(opened / ADDRESSES_CSV, RELEASE.names)})"),
    ):
        found = connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0]
        if (found, eligible_digest(connection, rows)) != (counts["released"], manifest["content_digest"]):
            message = "the rows are not those that the manifest names"
            raise BadInput("PACKAGE_CONTENT", message, where=f"{name}.age", remedy=_AGAIN)
    returned = forms.read_csv(opened / RETURNS_CSV, forms.RETURN_COLUMNS)
    codes = dict(connection.execute(f"SELECT code, count(*) FROM ({returned}) GROUP BY code").fetchall())
    rows = connection.execute(f"SELECT count(DISTINCT (file, row)) FROM ({returned})").fetchall()[0][0]
    if (rows, codes) != (counts["returned"], manifest["returned_by_code"]):
        message = "the codes are not those that the manifest counts"
        raise BadInput("PACKAGE_CONTENT", message, where=f"{RETURNS_CSV}.age", remedy=_AGAIN)


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder of our own beside `out`, removed at the end."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Usage("OUT_NOT_EMPTY", "rows are opened into a new or empty folder only", where="--out")
    with ExitStack() as stack:
        try:
            work = stack.enter_context(locked_folder(out.parent, ".package-"))
        except OSError:
            raise Usage("OUT_UNWRITABLE", "its folder is missing or cannot be written to", where="--out") from None
        yield work
