"""The sealed package: the released rows in two forms, the return file, and a signed manifest (see `signed_folder`).

The check key lives in memory only: what a crash interrupts is sealed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import digests
from expectations.base.duck import parquet
from expectations.base.errors import Fault
from expectations.contracts.lists import Outcome
from expectations.contracts.package import RELEASE
from pipelines.context import BatchContext
from pipelines.lake import Manifest
from pipelines.lake.sql import copy, quiet
from pipelines.release import forms, legal, signed_folder

NAME = "release.package"
ADDRESSES_PARQUET, ADDRESSES_CSV, RETURNS_CSV = "addresses.parquet", "addresses.csv", "returns.csv"
SEALED = tuple(f"{name}.age" for name in (ADDRESSES_PARQUET, ADDRESSES_CSV, RETURNS_CSV))
KIND = signed_folder.Kind("sluicegate-package/1", SEALED)


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

    `instruments`: enrolled digest by id, the agreement's included. Replaces an earlier package of this batch. Raises
    Fault if anything goes wrong, and then leaves no package.
    """
    if ctx.agreement.id not in instruments:
        raise Fault("NO_INSTRUMENT_DIGEST", "the package must name the enrolled digest of its agreement")

    def write(plain: Path) -> dict[str, Any]:
        with quiet(NAME, ctx.duck) as connection:
            contents = _write_plain(connection, outcomes, plain)
        return _manifest(ctx, contents, instruments, register_version)

    recipients = [ctx.agreement.keys.recipient, check_recipient]
    body = signed_folder.build(ctx.step(NAME), KIND, write, recipients, holder_key)
    manifest = json.loads(body)
    return Package(ctx.step(NAME), manifest["counts"]["released"], manifest["content_digest"], digests.of_bytes(body))


def eligible_digest(connection: duckdb.DuckDBPyConnection, eligible: str) -> str:
    """Content digest of released rows (any relation with the columns of `contracts.RELEASE`)."""
    return digests.content_digest(connection, eligible, RELEASE.names, forms.ORDER)


def _write_plain(connection: duckdb.DuckDBPyConnection, outcomes: Manifest, plain: Path) -> dict[str, Any]:
    """Writes the three files as plaintext; gives counts and content digest."""
    eligible, ends = parquet(outcomes.paths("eligible")), parquet(outcomes.paths("outcomes"))
    rows = f"SELECT {', '.join(RELEASE.names)} FROM {eligible} ORDER BY {forms.ORDER}"
    copy(connection, rows, plain / ADDRESSES_PARQUET)
    forms.write_csv(connection, rows, RELEASE.names, plain / ADDRESSES_CSV)
    forms.write_csv(connection, forms.returns(ends), ("request_id", "code", "message", "fix"), plain / RETURNS_CSV)
    # Counted by what the requester sees: how many were unmatched, how many held would show what the register holds.
    seen = connection.execute(
        f"SELECT code, count(*) FROM (SELECT unnest(told) AS code FROM {ends} WHERE outcome <> '{Outcome.RELEASED}')"
        " GROUP BY code"
    ).fetchall()
    submitted, released = outcomes.rows("outcomes"), outcomes.rows("eligible")
    return {
        "counts": {"submitted": submitted, "released": released, "returned": submitted - released},
        "returned_by_code": dict(sorted(seen)),
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
