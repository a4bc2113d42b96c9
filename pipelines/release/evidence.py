"""What is kept of a batch: the evidence (why each row ended as it did) and the accounting, sealed to the holder.

Everything else of a finished batch is deleted. `explain --show-values`, replay and lookback work from the evidence, so it holds
every fact on file that the rules used, as it was then. The accounting is what 26 USC 6103(p)(3) and 5 USC 552a(c) ask for.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from expectations import digests, merkle
from expectations.contracts import OUTCOME
from expectations.duck import parquet
from pipelines import durable, lake, sealing
from pipelines.context import BatchContext
from pipelines.sql import copy, quiet


@dataclass(frozen=True)
class Sealed:
    """A sealed file. `sha256` is of its bytes. `merkle_root` fixes the rows in it, in their order (accounting only)."""

    path: Path
    rows: int
    sha256: str
    merkle_root: str | None = None


def seal_evidence(ctx: BatchContext, holder_recipient: str, target: Path) -> Sealed:
    """One Parquet bundle of every submitted row and decoy: canonical row, and the structs candidate, verdict, person, reject.

    A struct is null where the row did not get that far. Works for a batch that stopped at any stage after ingest.
    """
    return _seal(ctx, f"{bundle(ctx)} ORDER BY ordinal", holder_recipient, target)


def bundle(ctx: BatchContext) -> str:
    """SQL of the evidence of a batch in flight, as far as it came."""
    rows = lake.committed(ctx.step("ingest.rows")).paths("rows")
    rejects = lake.committed(ctx.step("ingest.decode")).paths("rejects")
    structs, joins = "", ""
    for name, step, dataset, key, met in _JOINED:
        found = lake.read_manifest(ctx.step(step))
        if found is None:
            break  # the batch stopped before this stage
        structs += f", CASE WHEN {name}.{key} IS NOT NULL THEN {name} END AS {name}"
        joins += f" LEFT JOIN (SELECT DISTINCT ON ({key}) * FROM {parquet(found.paths(dataset))}) {name} ON {name}.{key} = {met}"
    return f"""
    SELECT r.*{structs} FROM {parquet(rows)} r{joins}
    UNION ALL BY NAME SELECT ordinal, file, row, origin, x AS reject FROM {parquet(rejects)} x"""


# (struct, step, dataset, its key, what it is joined to): in the order in which a row meets them
_JOINED = (
    ("candidate", "match.candidates", "candidates", "ordinal", "r.ordinal"),
    ("verdict", "validate.verdicts", "verdicts", "ordinal", "r.ordinal"),
    ("person", "validate.facts", "persons", "record_id", "verdict.record_id"),
)


def seal_accounting(ctx: BatchContext, holder_recipient: str, target: Path) -> Sealed:
    """The outcomes of all submitted rows, by ordinal, with their Merkle root, which goes to the ledger."""
    ends = lake.committed(ctx.step("release.outcomes")).paths("outcomes")
    with quiet("release.accounting", ctx.duck) as connection:
        root = merkle.root(merkle.leaves(connection, parquet(ends), OUTCOME.names, "ordinal"))
    sealed = _seal(ctx, f"SELECT * FROM {parquet(ends)} ORDER BY ordinal", holder_recipient, target)
    return Sealed(sealed.path, sealed.rows, sealed.sha256, root)


def _seal(ctx: BatchContext, query: str, recipient: str, target: Path) -> Sealed:
    """Writes `query` as Parquet in the batch's folder, seals it beside `target`, and renames: whole or not at all."""
    for orphan in ctx.root.glob(".keeping-*"):
        shutil.rmtree(orphan)
    work = ctx.root / f".keeping-{uuid.uuid4().hex}"
    work.mkdir(mode=0o700)
    try:
        with quiet("release.evidence", ctx.duck) as connection:
            copy(connection, query, work / "plain.parquet")
            rows = connection.execute(f"SELECT count(*) FROM {parquet([work / 'plain.parquet'])}").fetchall()[0][0]
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        sealing.seal_file(work / "plain.parquet", half, [recipient])
        half.replace(target)
        durable.fsync(target.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Sealed(target, rows, digests.of_file(target))
