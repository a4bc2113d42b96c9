"""One CSV of a raw register as a stream of text columns, in bounded memory whatever its size."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from expectations.base.errors import BadInput, SluicegateError
from expectations.instruments import Compression
from pipelines.read.blocks import opened
from pipelines.read.csv import SUBMISSION, CsvFile
from pipelines.read.stretch import Read
from pipelines.register.columns import ROW
from pipelines.register.table import Table

BLOCK = 4 << 20
_FAULTS = {
    "RAGGED_ROW": "a row has more or fewer fields than the header, or a quote in it is not closed",
    "BAD_ENCODING": "a row is not UTF-8",
    "LINE_TOO_LONG": "a row is longer than any row of a register, or a quote in it is not closed",
}
_REMEDY = "Correct the row, or export the table again: UTF-8, fields with a delimiter, quote or line break in quotes."


def batches(table: Table, path: str, errors: list[SluicegateError]) -> pa.RecordBatchReader:
    """The file's rows: `_row`, and each column of the contract as text (nulls in its own type if the file has none).

    The error on a row that is none, or on the file, is kept in `errors` too: a reader of the stream may not pass it on.
    """
    kinds = [(f.name, pa.string() if f.name in table.columns else f.type) for f in table.schema]
    schema = pa.schema([(ROW, pa.int64()), *kinds])
    return pa.RecordBatchReader.from_batches(schema, _batches(table, path, schema, errors))


def _batches(table: Table, path: str, schema: pa.Schema, errors: list[SluicegateError]) -> Iterator[pa.RecordBatch]:
    where, dialect = table.where(path), replace(SUBMISSION, delimiter=table.layout.delimiter)
    try:
        with opened(Path(path), Compression.NONE, where) as source:
            file = CsvFile(source, dialect, BLOCK)
            for read in file.reads():
                if read.rejects:
                    raise _bad(read, where)
                if read.table.num_rows:
                    yield from _renamed(read, file.names, table, schema).to_batches()
    except SluicegateError as error:
        errors.append(error)
        raise


def _renamed(read: Read, header: list[str], table: Table, schema: pa.Schema) -> pa.Table:
    def column(name: str) -> pa.ChunkedArray | pa.Array:
        if name not in table.columns:
            return pa.nulls(read.table.num_rows, schema.field(name).type)
        return read.table.column(header.index(table.columns[name]))

    return pa.table([pa.array(read.rows), *(column(n) for n in table.schema.names)], schema=schema)


def _bad(read: Read, where: str) -> BadInput:
    first = min(read.rejects, key=lambda r: r.row)
    place = f"{where}, row {first.row}" + (f", column {first.field}" if first.field else "")
    return BadInput(f"REGISTER_{first.code}", _FAULTS[first.code], where=place, remedy=_REMEDY)
