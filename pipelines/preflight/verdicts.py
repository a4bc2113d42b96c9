"""VERDICTS: one row for each row given, in its order, as CSV or Parquet by the file's name; and the counts over them.

Columns: id (as it was given), complete, codes, where the row stands, and message and fix in the words of the return
file. In CSV the codes stand in one field with a space between them. An id is never altered, not even one that a
spreadsheet would take for a formula: it must be found again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from expectations import codes
from expectations.base.errors import BadInput

NAME = "preflight"
ID = "id"  # the column of every row's id
Write = Callable[[pa.Table], None]


@dataclass
class Tally:
    """Counts over the verdicts: no values."""

    rows: int = 0
    complete: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    @property
    def incomplete_share(self) -> float:
        return (self.rows - self.complete) / self.rows if self.rows else 0.0

    def summary(self) -> dict[str, Any]:
        """The counts as flat values that JSON can hold."""
        share, by_code = self.incomplete_share, dict(sorted(self.codes.items()))
        return {"rows": self.rows, "complete": self.complete, "incomplete_share": share, "codes": by_code}

    def add(self, table: pa.Table) -> None:
        """Takes a stretch of verdicts in."""
        self.rows += table.num_rows
        self.complete += pc.sum(table["complete"]).as_py() or 0
        for item in pc.value_counts(pc.list_flatten(table["codes"])).to_pylist():
            self.codes[item["values"]] += item["counts"]


def explained(table: pa.Table) -> pa.Table:
    """Verdicts with message and fix added: worked out once for each list of codes that occurs."""
    lists = pc.binary_join(table["codes"], " ").combine_chunks().dictionary_encode()
    words = [codes.in_words(names.split()) for names in lists.dictionary.to_pylist()]
    for at, column in enumerate(("message", "fix")):
        texts = pa.array([both[at] or None for both in words], pa.string())
        table = table.append_column(column, texts.take(lists.indices))
    return table


@contextmanager
def writing(out: Path, work: Path, id_type: pa.DataType, tally: Tally) -> Iterator[Write]:
    """Gives what writes a stretch of verdicts (all but what `explained` adds); the file is put in place, whole, if the
    block ends well."""
    target = work / out.name
    with _parquet(target) if out.suffix == ".parquet" else _csv(target, id_type) as write:

        def counted(table: pa.Table) -> None:
            write(explained(table))
            tally.add(table)

        yield counted
    target.replace(out)


@contextmanager
def _parquet(target: Path) -> Iterator[Write]:
    writer: list[pq.ParquetWriter] = []

    def write(table: pa.Table) -> None:
        if not writer:
            writer.append(pq.ParquetWriter(target, table.schema, compression="zstd"))
        writer[0].write_table(table)

    try:
        yield write
    finally:
        for one in writer:
            one.close()


@contextmanager
def _csv(target: Path, id_type: pa.DataType) -> Iterator[Write]:
    try:
        pa.nulls(0, id_type).cast(pa.string())
    except pa.ArrowException:
        raise BadInput(
            "COLUMN_TYPE",
            "ids of this type cannot be written as CSV",
            where=f"column {ID}",
            remedy="Name VERDICTS .parquet.",
        ) from None
    writer: list[pa_csv.CSVWriter] = []

    def write(table: pa.Table) -> None:
        columns = {**dict(zip(table.column_names, table.columns, strict=True)), ID: _as_text(table[ID])}
        flat = pa.table({**columns, "codes": pc.binary_join(table["codes"], " ")})
        if not writer:
            writer.append(pa_csv.CSVWriter(target, flat.schema))
        writer[0].write_table(flat)

    try:
        yield write
    finally:
        for one in writer:
            one.close()


def _as_text(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return ids.cast(pa.string())
    except pa.ArrowException:
        raise BadInput(
            "BAD_ENCODING", "an id is not UTF-8", where=f"column {ID}", remedy="Name VERDICTS .parquet."
        ) from None
