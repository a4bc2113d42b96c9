"""One try of a worker at one piece of work: a folder of its own, and the parts that it wrote there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base import digests
from pipelines.lake.parts import Part, part_file

ATTEMPTS = ".attempts"
FINISHED = "finished.json"  # the parts of an attempt, once all are written
ROW_GROUP = 122_880  # DuckDB's own vector-friendly row group size

Worker = Callable[[Any, "Attempt"], Iterable[Part]]


@dataclass(frozen=True)
class Attempt:
    """A folder of its own for one try at one piece of work; nobody else writes there."""

    folder: str

    def path(self, dataset: str, index: int) -> Path:
        """Where to write part `index` of `dataset` in this attempt."""
        target = Path(self.folder) / part_file(dataset, index)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return target

    def part(self, dataset: str, index: int, **counts: int) -> Part:
        """The part just written at `path(dataset, index)`, with its row count and digest."""
        path = self.path(dataset, index)
        rows = pq.read_metadata(path).num_rows
        return Part(dataset, index, str(path), rows, digests.of_file(path), dict(counts))

    def write(self, dataset: str, index: int, table: pa.Table, **counts: int) -> Part:
        """Writes a table as one part."""
        pq.write_table(table, self.path(dataset, index), compression="zstd", row_group_size=ROW_GROUP)
        return self.part(dataset, index, **counts)


def finished(attempts: Path, item: str) -> list[Part]:
    """Parts of an attempt at `item` (its digest) that an earlier run finished, if they are as they were written."""
    for note in sorted(attempts.glob(f"{item}-*/{FINISHED}")):
        parts = [Part(**p) for p in json.loads(note.read_text())]
        if all(Path(p.path).exists() and digests.of_file(Path(p.path)) == p.digest for p in parts):
            return parts
    return []
