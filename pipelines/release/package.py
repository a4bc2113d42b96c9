"""The sealed package: what leaves, in two forms, with the return file and a signed manifest.

It is built in a folder of its own beside its place and renamed, so that a half-built package is never mistaken for one.
Sealing is random and the check key lives in memory only, so after a crash the package is sealed again, never gone on with.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import digests
from expectations.contracts import RELEASE
from expectations.duck import parquet
from expectations.errors import Fault
from pipelines import sealing
from pipelines.context import BatchContext
from pipelines.lake import Manifest, durable
from pipelines.lake.sql import copy, quiet
from pipelines.release import forms, legal, signed_folder

NAME = "release.package"
ADDRESSES_PARQUET, ADDRESSES_CSV, RETURNS_CSV = "addresses.parquet", "addresses.csv", "returns.csv"
SEALED = tuple(f"{name}.age" for name in (ADDRESSES_PARQUET, ADDRESSES_CSV, RETURNS_CSV))
KIND = signed_folder.Kind("sluicegate-package/1", SEALED)
_HALF_BUILT = ".sealing-"


@dataclass(frozen=True)
class Package:
    """A sealed package. `content_digest` is of the released rows; `manifest_digest` names this very sealing."""

    folder: Path
    rows: int
    content_digest: str
    manifest_digest: str


def seal(
    ctx: BatchContext,
    outcomes: Manifest,
    *,
    holder_key: Ed25519PrivateKey,
    check_recipient: str,
    instruments: Mapping[str, str],
    register_version: str,
) -> Package:
    """Seals the eligible rows of `release.outcomes` to the agreement's recipient and the one-time check recipient.

    `instruments`: enrolled digest by id, the agreement's included. Replaces an earlier package of this batch. Raises Fault
    if anything goes wrong, and then leaves no package.
    """
    if ctx.agreement.id not in instruments:
        raise Fault("NO_INSTRUMENT_DIGEST", "the package must name the enrolled digest of its agreement")
    _sweep(ctx.root)
    work = ctx.root / f"{_HALF_BUILT}{uuid.uuid4().hex}"
    plain, sealed = work / "plain", work / "sealed"
    for folder in (work, plain, sealed):
        folder.mkdir(mode=0o700)
    try:
        with quiet(NAME, ctx.duck) as connection:
            contents = _write_plain(connection, outcomes, plain)
        for name in SEALED:
            source = plain / name.removesuffix(".age")
            sealing.seal_file(source, sealed / name, [ctx.agreement.keys.recipient, check_recipient])
        body = signed_folder.sign(sealed, KIND, _manifest(ctx, contents, instruments, register_version), holder_key)
        _put_in_place(sealed, ctx.step(NAME))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Package(ctx.step(NAME), contents["counts"]["released"], contents["content_digest"], digests.of_bytes(body))


def eligible_digest(connection: duckdb.DuckDBPyConnection, eligible: str) -> str:
    """Content digest of released rows (any relation with the columns of `contracts.RELEASE`)."""
    return digests.content_digest(connection, eligible, RELEASE.names, forms.ORDER)


def _write_plain(connection: duckdb.DuckDBPyConnection, outcomes: Manifest, plain: Path) -> dict[str, Any]:
    """Writes the three files in clear; gives counts and content digest."""
    eligible, ends = parquet(outcomes.paths("eligible")), parquet(outcomes.paths("outcomes"))
    rows = f"SELECT {', '.join(RELEASE.names)} FROM {eligible} ORDER BY {forms.ORDER}"
    copy(connection, rows, plain / ADDRESSES_PARQUET)
    forms.write_csv(connection, rows, RELEASE.names, plain / ADDRESSES_CSV)
    forms.write_csv(connection, forms.returns(ends), ("request_id", "code", "message", "mend"), plain / RETURNS_CSV)
    # Counts by what is told only: how many were unmatched and how many held would tell what the register holds.
    told = connection.execute(
        f"SELECT code, count(*) FROM (SELECT unnest(told) AS code FROM {ends} WHERE outcome <> 'released') GROUP BY code"
    ).fetchall()
    submitted, released = outcomes.rows("outcomes"), outcomes.rows("eligible")
    return {
        "counts": {"submitted": submitted, "released": released, "returned": submitted - released},
        "returned_by_code": dict(sorted(told)),
        "content_digest": eligible_digest(connection, eligible),
    }


def _manifest(
    ctx: BatchContext, contents: dict[str, Any], instruments: Mapping[str, str], register_version: str
) -> dict[str, Any]:
    return {
        "batch": ctx.batch,
        "submission": ctx.submission,
        "holder": ctx.agreement.holder.id,
        "requester": ctx.agreement.requester.id,
        "agreement": ctx.agreement.id,
        "statute": ctx.letter.statute,
        "purpose": ctx.letter.purpose,
        "instruments": dict(instruments),
        "register": register_version,
        "received_on": ctx.received_on.isoformat(),
        "decided_on": ctx.decided_on.isoformat(),
        "fields": ["request_id", *(n for n in RELEASE.names if n in ctx.standing.fields)],
        **contents,
        "legal": list(legal.NOTICES),
    }


def _put_in_place(built: Path, place: Path) -> None:
    durable.fsync(built)
    if place.exists():
        shutil.rmtree(place)  # a crash here leaves no package, and the next run seals again
    built.rename(place)
    durable.fsync(place.parent)


def _sweep(root: Path) -> None:
    """Deletes what a crash during an earlier sealing left, the plain files above all."""
    for orphan in root.glob(f"{_HALF_BUILT}*"):
        shutil.rmtree(orphan)
