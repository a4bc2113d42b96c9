"""Opening a package: the recipient's verification, and the check that what was sealed is what was approved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expectations import digests, signatures
from expectations.contracts import RELEASE
from expectations.duck import DuckSettings
from expectations.errors import BadInput
from pipelines import sealing
from pipelines.release import forms
from pipelines.release.package import (
    ADDRESSES_CSV,
    ADDRESSES_PARQUET,
    FORMAT,
    MANIFEST,
    RETURNS_CSV,
    SEALED,
    SIGNATURE,
)  # fmt: skip
from pipelines.sealing import Identity
from pipelines.sql import copy, quiet

_AGAIN = "Get the package again from the holder, and report this."


@dataclass(frozen=True)
class Opened:
    """A package opened for the disclosure checkpoint: paths of Parquet files, in clear, that the caller deletes.

    `parquet` and `csv`: the rows of either form, in the columns of `contracts.RELEASE`. `returns`: the return file.
    """

    manifest: dict[str, Any]
    parquet: Path
    csv: Path
    returns: Path


def verify(package: Path, holders: Sequence[str]) -> dict[str, Any]:
    """The manifest of a package, once its signature (by one of the public keys `holders`) and every file agree with it.

    Needs no private key. Raises BadInput saying which file is missing, added, changed or unsigned.
    """
    _complete(package)
    body = (package / MANIFEST).read_bytes()
    signature = (package / SIGNATURE).read_text(errors="replace")
    if signatures.signer(body, signature, list(holders), signatures.MANIFEST) is None:
        raise BadInput("PACKAGE_UNSIGNED", "no known holder signed this manifest", where=MANIFEST, remedy=_AGAIN)
    manifest: dict[str, Any] = json.loads(body)
    if manifest.get("format") != FORMAT or set(manifest["files"]) != set(SEALED):
        raise BadInput("PACKAGE_FORMAT", "the manifest has another format than this version reads", where=MANIFEST)
    for name, facts in manifest["files"].items():
        if digests.of_file(package / name) != facts["sha256"]:
            raise BadInput("PACKAGE_CHANGED", "a sealed file is not the one that was signed", where=name, remedy=_AGAIN)
    return manifest


def _complete(package: Path) -> None:
    expected = {*SEALED, MANIFEST, SIGNATURE}
    found = {entry.name for entry in package.iterdir()} if package.is_dir() else set()
    if missing := sorted(expected - found):
        raise BadInput("PACKAGE_INCOMPLETE", "a file of the package is missing", where=missing[0], remedy=_AGAIN)
    if found - expected:  # a name that is not ours may hold anything, so it is not shown
        raise BadInput("PACKAGE_HAS_MORE", "the package holds a file that does not belong to it", remedy=_AGAIN)


def open_package(package: Path, identity: Identity, folder: Path, holders: Sequence[str]) -> dict[str, Any]:
    """Verifies a package and decrypts its files into `folder` (made, 0700); returns the manifest.

    Raises BadInput as `verify` does, or if the package was not sealed to `identity`.
    """
    manifest = verify(package, holders)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in SEALED:
        sealing.open_file(package / name, folder / name.removesuffix(".age"), identity)
    return manifest


def open_for_check(
    package: Path, identity: Identity, folder: Path, holders: Sequence[str], duck: DuckSettings
) -> Opened:
    """Opens a package with the one-time key, and gives both forms as Parquet, so that one suite can judge them alike.

    The caller deletes `folder`. Raises BadInput as `open_package` does, Fault if a form cannot be read.
    """
    manifest = open_package(package, identity, folder, holders)
    csv, returned = folder / "addresses-csv.parquet", folder / "returns.parquet"
    with quiet("release.opened", duck) as connection:
        copy(connection, forms.read_csv(folder / ADDRESSES_CSV, RELEASE.names), csv)
        copy(connection, forms.read_csv(folder / RETURNS_CSV, forms.RETURN_COLUMNS), returned)
    return Opened(manifest, folder / ADDRESSES_PARQUET, csv, returned)
