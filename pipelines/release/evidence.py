"""What stays of a batch: the evidence (why each row ended as it did) and the accounting, sealed to the holder.

Everything else of a finished batch is deleted. `explain --show-values`, replay and lookback work from the evidence, so
it holds every fact on file that the rules used, as it was then. The accounting is what 26 USC 6103(p)(3) and 5 USC
552a(c) ask for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from expectations.base import digests
from expectations.base.duck import parquet
from expectations.contracts.stages import ACCOUNTED, OUTCOME
from pipelines import lake, sealing
from pipelines.context import BatchContext
from pipelines.lake import durable
from pipelines.lake.sql import copy, quiet
from pipelines.lake.workplace import locked_folder
from pipelines.release import accounting


@dataclass(frozen=True)
class Sealed:
    """A sealed file. `digest` is of its bytes."""

    path: Path
    rows: int
    digest: str


@dataclass(frozen=True)
class Accounting(Sealed):
    """A sealed accounting, as it was counted; see `tally`."""

    outcomes: dict[str, int]
    codes: dict[str, int]
    merkle_root: str


def seal_evidence(ctx: BatchContext, holder_recipient: str, target: Path) -> Sealed:
    """One Parquet file of every row, control rows too: canonical row; structs candidate, verdict, person, reject. A
    struct is null where the row did not get that far. Works for a batch that stopped at any stage after ingest."""
    with _plain(ctx, f"{bundle(ctx.root)} ORDER BY ordinal") as plain:
        return Sealed(target, *_seal(plain, holder_recipient, target))


def bundle(root: Path, ordinal: int | None = None) -> str:
    """SQL of the evidence of a batch in flight, whose folder is `root`, up to the stage that it has reached; or of one
    row, for which parts are not read whole to prove them."""
    asked, only, before = ordinal is not None, "" if ordinal is None else f" WHERE ordinal = {ordinal:d}", ""
    rows, rejects = (_committed(root / step, asked).paths(name) for step, name in _READ)
    structs, joins = "", ""
    for name, step, dataset, key, row_key in _JOINED:
        if not lake.is_committed(root / step):
            break  # the batch stopped before this stage
        few = only if key == "ordinal" or not asked else f" WHERE {key} IN (SELECT {key} FROM {before})"
        before = f"(SELECT DISTINCT ON ({key}) * FROM {parquet(_committed(root / step, asked).paths(dataset))}{few})"
        structs += f", CASE WHEN {name}.{key} IS NOT NULL THEN {name} END AS {name}"
        joins += f" LEFT JOIN {before} {name} ON {name}.{key} = {row_key}"
    return f"""
    SELECT r.*{structs} FROM (FROM {parquet(rows)}{only}) r{joins}
    UNION ALL BY NAME SELECT ordinal, file, row, origin, x AS reject FROM (FROM {parquet(rejects)}{only}) x"""


def _committed(folder: Path, stated: bool) -> lake.Manifest:
    return lake.stated(folder) if stated else lake.committed(folder)


_READ = (("ingest.rows", "rows"), ("ingest.decode", "rejects"))
# (struct, step, dataset, its key, what it is joined to): in the order in which a row meets them
_JOINED = (
    ("candidate", "match.candidates", "candidates", "ordinal", "r.ordinal"),
    ("verdict", "validate.verdicts", "verdicts", "ordinal", "r.ordinal"),
    ("person", "validate.facts", "persons", "record_id", "verdict.record_id"),
)


_SAID = ACCOUNTED.names[len(OUTCOME) :]


def seal_accounting(
    ctx: BatchContext, holder_recipient: str, target: Path, fields: tuple[str, ...] | None = None
) -> Accounting:
    """The outcomes of all submitted rows, by ordinal, below their header; their counts and Merkle root are recorded.
    `fields`: what leaves of the register, if it is not what was recorded at receipt."""
    ends = lake.committed(ctx.step("release.outcomes")).paths("outcomes")
    rows = lake.committed(ctx.step("ingest.rows")).paths("rows")
    said = f"SELECT ordinal, {', '.join(_SAID)} FROM {parquet(rows)} WHERE origin = 'request'"
    query = (
        f"SELECT o.*, {', '.join(_SAID)} FROM {parquet(ends)} o LEFT JOIN ({said}) s USING (ordinal) ORDER BY ordinal"
    )
    with _plain(ctx, query, accounting.metadata(ctx, fields)) as plain:
        found = accounting.tally(plain, ctx.planned)
        sealed = _seal(plain, holder_recipient, target)
        return Accounting(target, *sealed, found.outcomes, found.codes, found.merkle_root)


@contextmanager
def _plain(ctx: BatchContext, query: str, metadata: Mapping[str, str] | None = None) -> Iterator[Path]:
    """`query` as Parquet in the batch's folder, for as long as the block lasts."""
    with locked_folder(ctx.root, ".keeping-") as work:
        with quiet("release.evidence", ctx.planned) as connection:
            copy(connection, query, work / "plain.parquet", metadata=metadata)
        yield work / "plain.parquet"


def _seal(plain: Path, recipient: str, target: Path) -> tuple[int, str]:
    """Seals a Parquet file as `target`, whole or not at all; gives its rows and the digest of the sealed bytes."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with durable.whole(target) as new:
        sealing.seal_file(plain, new, [recipient])
    return pq.read_metadata(plain).num_rows, digests.of_file(target)
