"""VERDICTS: one row for each row given, in its order, as CSV or Parquet by the file's name; and the counts over them.

Columns: id (as it was given), complete, codes, where the row stands, and message and fix in the words of the return
file. In CSV the codes stand in one field with a space between them. An id is never altered, not even one that a
spreadsheet would take for a formula: it must be found again.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
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
    """Counts over the verdicts: no values. `first`: the first row with each code, counted from 1 in its file."""

    rows: int = 0
    complete: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

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
        lists = table["codes"].combine_chunks()
        flat, owner = pc.list_flatten(lists), pc.list_parent_indices(lists)
        for item in pc.value_counts(flat).to_pylist():
            name = item["values"]
            self.codes[name] += item["counts"]
            if name not in self.first:
                self.first[name] = table["row"][owner[pc.index(flat, name).as_py()].as_py()].as_py()


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
    target, as_csv = work / out.name, out.suffix != ".parquet"
    if as_csv:
        _as_text(pa.chunked_array([pa.nulls(0, id_type)]), "COLUMN_TYPE", "ids of this type cannot be written as CSV")
    open_writer = pa_csv.CSVWriter if as_csv else partial(pq.ParquetWriter, compression="zstd")
    with ExitStack() as stack:
        writer: Any = None

        def write(table: pa.Table) -> None:
            nonlocal writer
            shown = _flat(explained(table)) if as_csv else explained(table)
            if writer is None:
                writer = stack.enter_context(open_writer(target, shown.schema))
            writer.write_table(shown)
            tally.add(table)

        yield write
    target.replace(out)


def _flat(table: pa.Table) -> pa.Table:
    """Verdicts as CSV holds them: text, and the codes in one field."""
    ids = _as_text(table[ID], "BAD_ENCODING", "an id is not UTF-8")
    columns = dict(zip(table.column_names, table.columns, strict=True))
    return pa.table({**columns, ID: ids, "codes": pc.binary_join(table["codes"], " ")})


def _as_text(ids: pa.ChunkedArray, code: str, message: str) -> pa.ChunkedArray:
    try:
        return ids.cast(pa.string())
    except pa.ArrowException:
        raise BadInput(code, message, where=f"column {ID}", remedy="Name VERDICTS .parquet.") from None
