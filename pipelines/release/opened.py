"""Opening a package: the recipient's verification, and the check that what was sealed is what was approved."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from expectations.base import algorithms
from expectations.base.duck import DuckSettings, parquet
from expectations.base.errors import BadInput, Usage
from expectations.contracts.package import RELEASE
from pipelines.lake.sql import Connection, copy, quiet
from pipelines.lake.workplace import locked_folder
from pipelines.release import forms, signed_folder
from pipelines.release.package import (
    ADDRESSES_CSV,
    ADDRESSES_PARQUET,
    CODES_CSV,
    KIND,
    OLD_KIND,
    OLD_RETURNS_CSV,
    RETURNS_CSV,
    eligible_digest,
)
from pipelines.sealing import Identity

_AGAIN = "Do not use the rows; report this to the holder."
BATCH = re.compile(r"^b-[0-9a-f]{12}$")  # the form of a batch's name


@dataclass(frozen=True)
class Opened:
    """A package opened for the disclosure checkpoint: paths of plaintext Parquet files, that the caller deletes.
    `parquet` and `csv`: the rows of either form, in the columns of `contracts.RELEASE`. `returns`: the return file."""

    manifest: dict[str, Any]
    parquet: Path
    csv: Path
    returns: Path


def verify(package: Path, holders: Sequence[str]) -> dict[str, Any]:
    """The manifest of a package, once its signature (by one of the public keys `holders`) and every file agree with it.
    Needs no private key. Raises BadInput saying which file is missing, added, changed or unsigned; or if the folder
    bears the name of another batch than its manifest, or its counts do not add up."""
    manifest = signed_folder.verify(package, _kind(package), holders)
    if BATCH.match(package.resolve().name) and package.resolve().name != manifest["batch"]:
        remedy = "Get both packages again from the holder, and report this."
        message = "the folder bears the name of another batch than its manifest"
        raise BadInput("PACKAGE_SWAPPED", message, where="batch", remedy=remedy)
    counts = manifest["counts"]
    if counts["submitted"] != counts["released"] + counts["returned"]:
        raise BadInput("PACKAGE_COUNTS", "the counts do not add up", where=f"{signed_folder.MANIFEST}: counts")
    return manifest


def open_package(package: Path, identity: Identity, folder: Path, holders: Sequence[str]) -> dict[str, Any]:
    """Verifies a package and decrypts its files into `folder` (made, 0700); returns the manifest. Raises BadInput as
    `verify` does, or if the package was not sealed to `identity`."""
    manifest = verify(package, holders)
    signed_folder.unseal(package, _kind(package), identity, folder)
    return manifest


def open_for_check(
    package: Path, identity: Identity, folder: Path, holders: Sequence[str], duck: DuckSettings
) -> Opened:
    """Opens a package with the one-time key, and gives both forms as Parquet, so that one suite can judge them alike.
    The caller deletes `folder`. Raises BadInput as `open_package` does, Fault if a form cannot be read."""
    manifest = open_package(package, identity, folder, holders)
    csv, returned = folder / "addresses-csv.parquet", folder / "returns.parquet"
    with quiet("release.opened", duck) as connection:
        copy(connection, forms.read_csv(folder / ADDRESSES_CSV, RELEASE.names), csv)
        copy(connection, forms.read_csv(folder / RETURNS_CSV, forms.RETURN_COLUMNS), returned)
    return Opened(manifest, folder / ADDRESSES_PARQUET, csv, returned)


def open_received(
    package: Path, identity: Identity, out: Path, holders: Sequence[str], duck: DuckSettings
) -> dict[str, Any]:
    """Opens a package into the folder `out` (0700; new or empty), whole or not at all; returns its manifest. Raises
    BadInput as `open_package` does, or if a form does not hold the rows, or the return file the codes, that the
    manifest names (PACKAGE_CONTENT); Usage if `out` cannot be made or is not empty."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Usage("OUT_NOT_EMPTY", "rows are opened into a new or empty folder only", where="--out")
    with ExitStack() as stack:
        try:
            work = stack.enter_context(locked_folder(out.parent, ".package-"))
        except OSError:
            raise Usage("OUT_UNWRITABLE", "its folder is missing or cannot be written to", where="--out") from None
        opened = work / "opened"
        manifest = open_package(package, identity, opened, holders)
        by = algorithms.using(signed_folder.algorithm(manifest))
        with by, quiet("package.open", replace(duck, temp=str(work / "spill"))) as connection:
            _check(connection, opened, manifest)
        opened.rename(out)  # over an empty folder, or none
    return manifest


def _kind(package: Path) -> signed_folder.Kind:
    """Which format a package says that it has: unverified, and the newest where it says nothing that can be read."""
    try:
        return OLD_KIND if signed_folder.stated(package).get("format") == OLD_KIND.format else KIND
    except (OSError, BadInput):
        return KIND


def _returned(opened: Path, manifest: dict[str, Any]) -> tuple[str, str]:
    """The name of the return file, and its lines as a relation."""
    if manifest["format"] == OLD_KIND.format:
        return OLD_RETURNS_CSV, forms.read_csv(opened / OLD_RETURNS_CSV, forms.OLD_RETURN_COLUMNS)
    return RETURNS_CSV, forms.read_csv(opened / RETURNS_CSV, forms.RETURN_COLUMNS)


def _check(connection: Connection, opened: Path, manifest: dict[str, Any]) -> None:
    counts = manifest["counts"]
    as_csv = f"({forms.read_csv(opened / ADDRESSES_CSV, RELEASE.names)})"
    for name, rows in ((ADDRESSES_PARQUET, parquet([opened / ADDRESSES_PARQUET])), (ADDRESSES_CSV, as_csv)):
        found = connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0]
        if (found, eligible_digest(connection, rows)) != (counts["released"], manifest["content_digest"]):
            message = "the rows are not those that the manifest names"
            raise BadInput("PACKAGE_CONTENT", message, where=f"{name}.age", remedy=_AGAIN)
    name, returned = _returned(opened, manifest)
    codes = dict(connection.execute(f"SELECT code, count(*) FROM ({returned}) GROUP BY code").fetchall())
    rows = connection.execute(f"SELECT count(DISTINCT (file, row)) FROM ({returned})").fetchall()[0][0]
    if (rows, codes) != (counts["returned"], manifest["returned_by_code"]):
        message = "the codes are not those that the manifest counts"
        raise BadInput("PACKAGE_CONTENT", message, where=f"{name}.age", remedy=_AGAIN)
    if manifest["format"] != OLD_KIND.format:
        known = forms.read_csv(opened / CODES_CSV, forms.CODE_COLUMNS)
        if connection.execute(f"SELECT count(*) FROM ({returned}) ANTI JOIN ({known}) USING (code)").fetchall()[0][0]:
            message = "the table of codes does not have every code that is returned"
            raise BadInput("PACKAGE_CONTENT", message, where=f"{CODES_CSV}.age", remedy=_AGAIN)
