"""What is kept of a batch as its evidence: which files, sealed under the batch's own key, and the list of them.

`evidence/BATCH.json` lists the sealed files with their digests; the ledger knows the digest of that list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from expectations.digests import canonical_json, of_bytes, of_file
from expectations.errors import BadInput
from flows import evidence_keys
from flows.home import Home
from pipelines import durable, release, sealing
from pipelines.context import KEPT, BatchContext

FORMAT = "sluicegate-evidence/1"


@dataclass(frozen=True)
class Kept:
    """The list of a batch's sealed evidence. `files`: digests by name. `recipient`: whom it is sealed to; `key`: digest of the
    private half as it lies sealed."""

    files: dict[str, str]
    recipient: str
    key: str


def folder(home: Home) -> Path:
    return home.root / "evidence"


def accounting(home: Home, batch: str) -> Path:
    """Where the sealed accounting of a batch lies."""
    return home.root / "accounting" / f"{batch}.parquet.age"


def listing(home: Home, batch: str) -> Path:
    """Where the list of a batch's evidence lies."""
    return folder(home) / f"{batch}.json"


def seal(home: Home, ctx: BatchContext) -> str:
    """Seals all that is kept of a batch; gives the digest of the list."""
    recipient, batch = evidence_keys.recipient(home, ctx.batch), ctx.batch
    rows = folder(home) / f"{batch}.parquet.age"
    files = {rows.name: release.seal_evidence(ctx, recipient, rows).sha256}
    own = [path for path in (ctx.facilities, ctx.late) if path]
    for path in (*(ctx.root / name for name in KEPT), *own):
        target = folder(home) / f"{batch}.{path.name}.age"
        sealing.seal_file(path, target, [recipient])
        files[target.name] = of_file(target)
    key = {"recipient": recipient, "sha256": of_file(evidence_keys.place(home, batch))}
    text = canonical_json({"format": FORMAT, "batch": batch, "key": key, "files": files})
    durable.write(listing(home, batch), text)
    return of_bytes(text)


def listed(home: Home, batch: str) -> Kept | None:
    """The list of a batch's evidence; None if there is none. Raises BadInput if it is not one of this batch."""
    path = listing(home, batch)
    if not path.exists():
        return None
    try:
        said = json.loads(path.read_bytes())
        if (said["format"], said["batch"]) != (FORMAT, batch):
            raise ValueError
        return Kept(dict(said["files"]), said["key"]["recipient"], said["key"]["sha256"])
    except (ValueError, KeyError, TypeError):
        raise BadInput(
            "EVIDENCE_LIST", "the list of the evidence cannot be read", where=path.name, remedy="Restore it."
        ) from None
