"""The header of a batch's accounting: what 26 USC 6103(p)(3)(A) and 5 USC 552a(c)(1) ask for, for all its rows.

It lies in the sealed file itself, as Parquet key-value metadata, so that rows and header cannot come apart: nature and
purpose of the disclosure, name and address of the recipient, the agreement in its version, the letter. The date of the
disclosure is the ledger's, since an accounting is sealed before anything leaves.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from expectations.base.digests import canonical_json, of_file
from expectations.instruments.agreement import Party
from pipelines.context import BatchContext
from pipelines.ingest.submission import LETTER

_KEY = "sluicegate.accounting"
FORMAT = "sluicegate-accounting/1"


def metadata(ctx: BatchContext) -> dict[str, str]:
    """The header of this batch's accounting, as metadata of its Parquet file."""
    return {_KEY: canonical_json(_header(ctx)).decode()}


def read(accounting: Path) -> dict[str, Any] | None:
    """The header of an accounting in plaintext; None of one that was made before there were headers."""
    text = (pq.read_metadata(accounting).metadata or {}).get(_KEY.encode())
    header: dict[str, Any] | None = json.loads(text) if text else None
    return header


def _header(ctx: BatchContext) -> dict[str, Any]:
    """`nature`: the fields that the agreement and the orders of the day allowed to leave. `agreement.digest`: the
    version that was enrolled at receipt."""
    agreement = ctx.agreement
    return {
        "format": FORMAT,
        "batch": ctx.batch,
        "received_on": ctx.received_on.isoformat(),
        "decided_on": ctx.decided_on.isoformat(),
        "nature": list(ctx.standing.fields),
        "purpose": ctx.letter.purpose,
        "statute": ctx.letter.statute,
        "recipient": _party(agreement.requester),
        "holder": _party(agreement.holder),
        "agreement": {"id": agreement.id, "title": agreement.title, "digest": ctx.instruments.get(agreement.id)},
        "submission": ctx.submission,
        "letter": of_file(ctx.files / LETTER),
        "sources": ["26 USC 6103(p)(3)(A)", "5 USC 552a(c)(1)"],
    }


def _party(party: Party) -> dict[str, str]:
    return {"id": party.id, "name": party.name, "address": party.address}
