"""What an accounting says when it is counted: rows, outcomes, codes, and the Merkle root over its rows.

Counted when it is sealed, and again by `ledger verify --deep`: ten million rows pass through, never all at once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.base import merkle
from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from expectations.contracts.stages import OUTCOME
from pipelines.lake.sql import quiet

_ROWS = 50_000  # at a time


@dataclass(frozen=True)
class Tally:
    """Counts of an accounting. `codes`: how many rows have each, and a row several. `merkle_root` fixes the rows."""

    rows: int
    outcomes: dict[str, int]
    codes: dict[str, int]
    merkle_root: str


def tally(accounting: Path, duck: DuckSettings) -> Tally:
    """Counts a plaintext accounting. Raises BadInput if its rows are not in the order of their ordinals, each once."""
    outcomes: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    tree, last = merkle.Tree(), -1
    # what is read ahead stays in memory until the end: without it, memory does not grow with the file
    with quiet("release.tally", duck) as connection, pq.ParquetFile(accounting, pre_buffer=False) as file:
        for batch in file.iter_batches(_ROWS, columns=OUTCOME.names):
            rows = pa.Table.from_batches([batch])
            last = _next(rows["ordinal"], last)
            outcomes += _counted(rows["outcome"])
            codes += _counted(pc.list_flatten(rows["codes"]))
            for leaves in _leaves(connection, rows):
                tree.add(leaves)
    return Tally(outcomes.total(), dict(sorted(outcomes.items())), dict(sorted(codes.items())), tree.root())


def _next(ordinals: pa.ChunkedArray, last: int) -> int:
    """The last of these ordinals, which come after `last` and rise."""
    if len(ordinals) == 0:
        return last
    found = ordinals.combine_chunks()
    rises = pc.all(pc.less(found[:-1], found[1:])).as_py()
    if found[0].as_py() <= last or rises is False:
        message = "the rows of the accounting are not in the order of their ordinals, each once"
        raise BadInput("ACCOUNTING_ORDER", message)
    return int(found[-1].as_py())


def _counted(values: pa.ChunkedArray) -> Counter[str]:
    return Counter({v["values"]: v["counts"] for v in pc.value_counts(values).to_pylist()})


def _leaves(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> list[bytes]:
    connection.register("accounted", rows)
    try:
        return list(merkle.leaves(connection, "accounted", OUTCOME.names, "ordinal"))
    finally:
        connection.unregister("accounted")
