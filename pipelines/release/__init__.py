"""Release: eligible rows → the sealed package, and the sealed evidence and accounting of the batch.

The flow calls, in this order: `outcomes` (or `refused_outcomes`), `seal`, `open_for_check` for the disclosure
checkpoint, then `seal_evidence` and `seal_accounting`.
"""

from collections.abc import Sequence
from pathlib import Path

from expectations.base import digests
from expectations.base.duck import parquet
from pipelines import lake
from pipelines.context import BatchContext
from pipelines.lake import Manifest
from pipelines.release.evidence import seal_accounting, seal_evidence
from pipelines.release.leaving import Leaving
from pipelines.release.opened import Opened, open_for_check, open_package, verify
from pipelines.release.outcomes import STEP, Item, Kind, Outcomes, Refused, ended, rejected
from pipelines.release.package import Package, eligible_digest, seal

__all__ = [
    "Leaving",
    "Opened",
    "Package",
    "eligible_digest",
    "ends",
    "open_for_check",
    "open_package",
    "outcomes",
    "refused_outcomes",
    "seal",
    "seal_accounting",
    "seal_evidence",
    "verify",
]


def outcomes(
    ctx: BatchContext, *, dropped: Path | None = None, lost: Path | None = None, leaving: Leaving | None = None
) -> Manifest:
    """Step `release.outcomes`: datasets `outcomes` (each submitted row once) and `eligible` (what may leave).
    `dropped`: Parquet (ordinal) of the rows that two people dropped. `lost`: Parquet (request_key) of the rows whose
    claim another batch won: they end as already_disclosed. `leaving`: what may leave now (if left out: as recorded).
    Raises Fault if a row would have no outcome."""
    may = leaving or Leaving.recorded(ctx)
    candidates, verdicts = lake.committed(ctx.step("match.candidates")), lake.committed(ctx.step("validate.verdicts"))
    items, inputs = _items(ctx)
    inputs += [candidates.digest, verdicts.digest, sorted(may.fields)]
    inputs += [*(digests.name_of_file(p) if p else None for p in (dropped, lost)), may.digest]
    parts = tuple(candidates.paths("candidates")), tuple(verdicts.paths("verdicts"))
    worker = Outcomes(*parts, may.fields, dropped, lost, may.withheld, ctx.planned)
    return ctx.run_step(STEP, inputs, items, worker)


def ends(ctx: BatchContext, *, dropped: Path | None, lost: Path | None) -> str:
    """A relation of what each submitted row would end as if nothing were read again: ordinal, request_key, person_key,
    record_id, outcome, codes. Nothing is committed."""
    rows, decoded = lake.committed(ctx.step("ingest.rows")), lake.committed(ctx.step("ingest.decode"))
    candidates, verdicts = lake.committed(ctx.step("match.candidates")), lake.committed(ctx.step("validate.verdicts"))
    stages = (rows.paths("rows"), candidates.paths("candidates"), verdicts.paths("verdicts"))
    gone, taken = (parquet([path]) if path else None for path in (dropped, lost))
    settled = ended(*map(parquet, stages), dropped=gone, lost=taken, withheld=None)
    columns = "ordinal, request_key, person_key, outcome, codes"
    bad = " UNION ALL ".join(f"SELECT {columns} FROM ({rejected(path)})" for path in decoded.paths("rejects"))
    return f"(SELECT {columns}, record_id FROM ({settled}) UNION ALL SELECT *, NULL AS record_id FROM ({bad}))"


def refused_outcomes(ctx: BatchContext, codes: Sequence[str]) -> Manifest:
    """Step `release.outcomes` of a batch refused or rejected, at any stage after ingest: every row ends `refused`.
    `codes`: why the batch was stopped, from the closed list. There is no dataset `eligible`, so nothing can be
    sealed."""
    items, inputs = _items(ctx)
    worker = Refused(tuple(sorted(set(codes))), ctx.planned)
    return ctx.run_step(STEP, [*inputs, "refused", worker.batch_codes], items, worker)


def _items(ctx: BatchContext) -> tuple[list[Item], list[object]]:
    rows, decoded = lake.committed(ctx.step("ingest.rows")), lake.committed(ctx.step("ingest.decode"))
    parts = [(Kind.ROWS, p) for p in rows.paths("rows")] + [(Kind.REJECTS, p) for p in decoded.paths("rejects")]
    return [Item(kind, index, path) for index, (kind, path) in enumerate(parts)], [rows.digest, decoded.digest]
