"""The sealed package: the released rows in two forms, the return file, and a signed manifest (see `signed_folder`).

The check key lives in memory only: what a crash interrupts is sealed again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import digests
from expectations.base.duck import parquet
from expectations.base.errors import Fault
from expectations.contracts.lists import Outcome
from expectations.contracts.package import RELEASE
from pipelines.context import BatchContext
from pipelines.lake import Manifest
from pipelines.lake.sql import Connection, copy, quiet
from pipelines.release import forms, signed_folder
from pipelines.release.leaving import Leaving

NAME = "release.package"
ADDRESSES_PARQUET, ADDRESSES_CSV = "addresses.parquet", "addresses.csv"
RETURNS_CSV, CODES_CSV = "returns.csv.gz", "codes.csv"
OLD_RETURNS_CSV = "returns.csv"


def _kind(version: int, *names: str) -> signed_folder.Kind:
    return signed_folder.Kind(f"sluicegate-package/{version}", tuple(f"{name}.age" for name in names))


KIND = _kind(2, ADDRESSES_PARQUET, ADDRESSES_CSV, RETURNS_CSV, CODES_CSV)
OLD_KIND = _kind(1, ADDRESSES_PARQUET, ADDRESSES_CSV, OLD_RETURNS_CSV)  # still opened
# The notices that the recipient gets with every package.
NOTICES = (
    "These are return information of the persons named in the requests: confidential under 26 USC 6103(a).",
    (
        "Use is limited to the purpose that the letter states, by the officers personally and directly engaged in it:"
        " 26 USC 6103(i)(2)."
    ),
    "Keep it under the safeguards of 26 USC 6103(p)(4); after use return it or destroy it, and record the disposal.",
    (
        "Disclosure or inspection beyond this is punishable (26 USC 7213, 7213A) and actionable, negligence included"
        " (26 USC 7431)."
    ),
    (
        "Each address is the last known one, from the return filed last: it may be of another taxable period than the"
        " request asks for. A last known address is a term of art (26 CFR 301.6212-2), not proof of residence."
    ),
    "The holder may recall any of these rows: freeze them on notice, before any further use.",
)


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
    leaving: Leaving | None = None,
) -> Package:
    """Seals the eligible rows of `release.outcomes` to the requester's recipient and the one-time check recipient.
    `instruments`: enrolled digest by id, the agreement's included; `leaving`: what may leave, and to which key (if left
    out: as recorded at receipt). Replaces an earlier package of this batch. Raises Fault if anything goes wrong, and
    then leaves no package."""
    may = leaving or Leaving.recorded(ctx)
    if ctx.agreement.id not in instruments:
        raise Fault("NO_INSTRUMENT_DIGEST", "the package must name the enrolled digest of its agreement")

    def write(plain: Path) -> dict[str, Any]:
        with quiet(NAME, ctx.planned) as connection:
            contents = _write_plain(connection, outcomes, plain)
        return _manifest(ctx, contents, instruments, register_version, may.fields)

    recipients = [may.recipient, check_recipient]
    body = signed_folder.build(ctx.step(NAME), KIND, write, recipients, holder_key)
    manifest = json.loads(body)
    return Package(ctx.step(NAME), manifest["counts"]["released"], manifest["content_digest"], digests.of_bytes(body))


def eligible_digest(connection: Connection, eligible: str) -> str:
    """Content digest of released rows (any relation with the columns of `contracts.RELEASE`)."""
    return digests.content_digest(connection, eligible, RELEASE.names, forms.ORDER)


def _write_plain(connection: Connection, outcomes: Manifest, plain: Path) -> dict[str, Any]:
    """Writes the files as plaintext; gives counts and content digest."""
    eligible, ends = parquet(outcomes.paths("eligible")), parquet(outcomes.paths("outcomes"))
    rows = f"SELECT {', '.join(RELEASE.names)} FROM {eligible} ORDER BY {forms.ORDER}"
    copy(connection, rows, plain / ADDRESSES_PARQUET)
    forms.write_csv(connection, rows, RELEASE.names, plain / ADDRESSES_CSV)
    returned = plain / OLD_RETURNS_CSV
    forms.write_csv(connection, forms.returns(ends), ("request_id", "code"), returned)
    forms.compress(returned, plain / RETURNS_CSV)
    forms.write_csv(connection, forms.meanings(), forms.CODE_COLUMNS, plain / CODES_CSV)
    # Counted by what the requester sees: how many were unmatched, how many held would show what the register holds.
    told = f"SELECT unnest(told) AS code FROM {ends} WHERE outcome <> '{Outcome.RELEASED}'"
    seen = connection.execute(f"SELECT code, count(*) FROM ({told}) GROUP BY code").fetchall()
    submitted, released = outcomes.rows("outcomes"), outcomes.rows("eligible")
    return {
        "counts": {"submitted": submitted, "released": released, "returned": submitted - released},
        "returned_by_code": dict(sorted(seen)),
        "content_digest": eligible_digest(connection, eligible),
    }


def _manifest(
    ctx: BatchContext,
    contents: dict[str, Any],
    instruments: Mapping[str, str],
    register_version: str,
    fields: tuple[str, ...],
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
        "fields": ["request_id", *(n for n in RELEASE.names if n in fields)],
        **contents,
        "legal": list(NOTICES),
    }
