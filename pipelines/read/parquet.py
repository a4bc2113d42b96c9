"""Parquet to text columns, in two ways.

`requests`, for what may be hostile, reads through DuckDB: it keeps to a memory limit whatever the pages claim to hold,
and no value leaves it longer than a field may be (and one character more, by which the screens see that it is too
long). But it refuses a file whole for one text that is not UTF-8, and changes the types of what it passes on.
`ParquetTable`, for a table of its reader's own, reads through Arrow: the key keeps its type, bad text costs its row.

A register is not read here: as Parquet it stays where it lies, and queries scan it there (`register.columns`).
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from expectations.base import duck
from expectations.base.errors import BadInput
from expectations.instruments import Compression
from pipelines.read.blocks import BLOCK, Submitted, opened
from pipelines.read.stretch import MAX_FIELD, Read, Reject, check_columns, whole

_ROWS = 20_000


def requests(file: Submitted) -> Iterator[Read]:
    """The rows of a submission's Parquet; raises BadInput: NOT_PARQUET, COLUMN_TYPE, those of `check_columns`."""
    with _plain(file) as path:
        try:
            schema = pq.read_schema(path)
        except (pa.ArrowException, OSError):
            remedy = "Check its format and compression in the letter."
            raise BadInput("NOT_PARQUET", "the file is not Parquet", where=file.where, remedy=remedy) from None
        check_columns(schema.names, file.where, file.required)
        _check_types(schema, schema.names, file.where)
        fields = ", ".join(f"left(CAST({n} AS VARCHAR), {MAX_FIELD + 1}) AS {n}" for n in schema.names)
        query = f"SELECT {fields} FROM read_parquet({duck.quote(str(path))}, hive_partitioning = false)"
        row = 1
        try:
            with duck.session(replace(file.duck, preserve_order=True)) as connection:
                for batch in connection.execute(query).to_arrow_reader(_ROWS):
                    yield whole(pa.Table.from_batches([batch]), row)
                    row += batch.num_rows
        except (duckdb.Error, pa.ArrowException, OSError):
            message = "the file cannot be read as Parquet with text in UTF-8, within the memory allowed"
            remedy = "Write it again, with smaller row groups."
            raise BadInput("NOT_PARQUET", message, where=f"{file.where}, after row {row - 1}", remedy=remedy) from None


@contextmanager
def _plain(file: Submitted) -> Iterator[Path]:
    """The file itself, or unpacked for as long as it is read: Parquet is not read in one go."""
    if file.compression is Compression.NONE:
        yield file.path
        return
    file.scratch.mkdir(parents=True, mode=0o700)
    plain = file.scratch / "data.parquet"
    with opened(file.path, file.compression, file.where) as source, plain.open("wb") as target:
        while chunk := source.read(BLOCK):
            target.write(chunk)
    yield plain
    shutil.rmtree(file.scratch)


def _check_types(schema: pa.Schema, names: Sequence[str], where: str) -> None:
    """Raises BadInput (COLUMN_TYPE) unless each column is text, or of a type that has one way to be written as text."""
    for name in names:
        kind = schema.field(name).type
        kind = kind.value_type if kinds.is_dictionary(kind) else kind
        if not (_is_text(kind) or kinds.is_integer(kind) or kinds.is_date(kind) or kinds.is_null(kind)):
            message = f"column {name} is neither text, integer nor date"
            raise BadInput("COLUMN_TYPE", message, where=where, remedy="Write it as text.")


def _is_text(kind: pa.DataType) -> bool:
    return kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)


class ParquetTable:
    """A table of any columns whose `schema` was read. Raises BadInput (NOT_PARQUET)."""

    def __init__(self, path: Path, where: str) -> None:
        self.where = where
        try:
            self._file = pq.ParquetFile(path)
            self.schema = self._file.schema_arrow
        except (pa.ArrowException, OSError):
            raise _unreadable(where) from None

    def reads(self, columns: list[str], key: str) -> Iterator[Read]:
        """Stretches in order, with `columns` as text and the column `key` of every row in its own type. Raises
        BadInput: NOT_PARQUET; COLUMN_TYPE, before anything is read."""
        _check_types(self.schema, columns, self.where)
        return self._reads(columns, key)

    def _reads(self, columns: list[str], key: str) -> Iterator[Read]:
        row = 1
        with self._file as file:
            try:
                for batch in file.iter_batches(_ROWS, columns=[key, *columns]):
                    yield replace(_as_text(batch.select(columns), row), keys=batch.column(key))
                    row += batch.num_rows
            except (pa.ArrowException, OSError):
                raise _unreadable(f"{self.where}, after row {row - 1}") from None


def _as_text(batch: pa.RecordBatch, first: int) -> Read:
    columns = [c.dictionary_decode() if kinds.is_dictionary(c.type) else c for c in batch.columns]
    table = pa.table(columns, names=batch.schema.names)
    try:
        text = pa.table([c.cast(pa.string()) for c in table.columns], names=table.column_names)
        text.validate(full=True)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return _one_by_one(table, first)
    return whole(text, first)


def _one_by_one(table: pa.Table, first: int) -> Read:
    """The same for a stretch with text that is not UTF-8: it costs the rows that have it."""
    faults: dict[int, str] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        for at, value in enumerate(column.cast(pa.binary()).to_pylist() if _is_text(column.type) else []):
            if value is not None and value.decode("utf-8", "ignore").encode() != value:
                faults.setdefault(at, name)
    good_rows = np.array([i for i in range(table.num_rows) if i not in faults], dtype=np.int64)
    good = table.take(good_rows)
    text = pa.table([c.cast(pa.string()) for c in good.columns], names=table.column_names)
    rejects = [Reject(first + at, name, "BAD_ENCODING") for at, name in sorted(faults.items())]
    return Read(table.num_rows, text, good_rows + first, rejects)


def _unreadable(where: str) -> BadInput:
    message = "the file cannot be read as Parquet with text in UTF-8"
    return BadInput("NOT_PARQUET", message, where=where, remedy="Write it again.")
