"""A Parquet table to pieces. The id is handed on as it is, whatever its type; the address fields become text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.errors import BadInput
from pipelines.ingest.read_parquet import check_type, is_text
from pipelines.ingest.reading import Read, Reject, whole
from pipelines.preflight.pieces import ID, Piece, fields_of, piece

_ROWS = 20_000


def read_parquet(path: Path, where: str) -> tuple[pa.DataType, list[str], Iterator[Piece]]:
    """The id's type, the address fields that the table has, and its pieces; raises BadInput: NOT_PARQUET, COLUMN_TYPE …"""
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
    except (pa.ArrowException, OSError):
        raise _unreadable(where) from None
    fields = fields_of(schema.names, where)
    for name in fields:
        check_type(schema.field(name), where)
    return schema.field(ID).type, fields, _pieces(file, fields, where)


def _pieces(file: pq.ParquetFile, fields: list[str], where: str) -> Iterator[Piece]:
    row = 1
    with file:
        try:
            for batch in file.iter_batches(_ROWS, columns=[ID, *fields]):
                yield piece(batch.column(ID), _read(batch.select(fields), row))
                row += batch.num_rows
        except (pa.ArrowException, OSError):
            raise _unreadable(f"{where}, after row {row - 1}") from None


def _read(batch: pa.RecordBatch, first: int) -> Read:
    columns = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in batch.columns]
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
        for at, value in enumerate(column.cast(pa.binary()).to_pylist() if is_text(column.type) else []):
            if value is not None and not _utf8(value):
                faults.setdefault(at, name)
    kept = np.array([i for i in range(table.num_rows) if i not in faults], dtype=np.int64)
    good = table.take(kept)
    text = pa.table([c.cast(pa.string()) for c in good.columns], names=table.column_names)
    rejects = [Reject(first + at, name, "BAD_ENCODING") for at, name in sorted(faults.items())]
    return Read(table.num_rows, text, kept + first, rejects)


def _utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _unreadable(where: str) -> BadInput:
    return BadInput(
        "NOT_PARQUET", "the file cannot be read as Parquet with text in UTF-8", where=where, remedy="Write it again."
    )
