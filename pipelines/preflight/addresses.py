"""A table of addresses to verdicts: the ingest stage's screens, then `expectations.address` on what they let through.

The address alone is judged; the id is carried along. A row that the screens take out has their code, as in ingest.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from expectations import address
from expectations.base.duck import DuckSettings, session
from expectations.base.errors import BadInput, Fault
from expectations.instruments import Compression, FileFormat
from pipelines.lake.failures import no_values
from pipelines.lake.workplace import workplace
from pipelines.preflight import verdicts
from pipelines.preflight.verdicts import ID
from pipelines.read import blocks, csv
from pipelines.read.formats import NAME_IT, of_name
from pipelines.read.parquet import ParquetTable
from pipelines.read.stretch import Read, screen

FIELDS = ("address", "street", "unit", "city", "state", "zip")
_CHUNK = 250_000  # rows judged by one query: its fixed cost is a few tenths of a second
_BAD = pa.schema([("row", pa.int64()), ("code", pa.string())])


def check_addresses(file: Path, out: Path, *, premises: Sequence[str] = (), duck: DuckSettings) -> verdicts.Tally:
    """Judges the addresses of `file` (.csv, .csv.gz, .csv.zst or .parquet) into VERDICTS, `out`; gives the counts.

    `premises`: the requester's own addresses, if they are known (agreement).
    Raises BadInput, and leaves no VERDICTS: FILE_MISSING, FILE_UNREADABLE, UNKNOWN_FORMAT, SAME_FILE, NO_ROWS, those of
    a table without an id or an address (`fields_of`), and those of the readers.
    """
    tally = verdicts.Tally()
    with no_values(verdicts.NAME), workplace(out, file, verdicts.NAME) as work, _opened(file) as table:
        id_type, fields, reads = table
        settings = replace(duck, temp=str(work / "spill"))
        with verdicts.writing(out, work, id_type, tally) as write, session(settings) as connection:
            address.setup(connection)
            query = _judging(fields, premises)
            for chunk in _chunks(map(screen, reads)):
                write(_judged(connection, query, chunk))
            if tally.rows == 0:
                raise BadInput("NO_ROWS", "the file has no rows", where=file.name, remedy="Give at least one.")
    return tally


@contextmanager
def _opened(file: Path) -> Iterator[tuple[pa.DataType, list[str], Iterator[Read]]]:
    """Of the table in `file`, by the end of its name: the type of its ids, its address fields, its rows."""
    if not file.is_file():
        raise BadInput("FILE_MISSING", "there is no such file or folder", where=file.name, remedy="Check its name.")
    try:
        file.open("rb").close()
    except OSError:
        remedy = "Check its permissions."
        raise BadInput("FILE_UNREADABLE", "the file cannot be read", where=file.name, remedy=remedy) from None
    match of_name(file):
        case FileFormat.CSV, compression:
            with blocks.opened(file, compression, file.name) as source:
                table = csv.CsvFile(source, csv.TABLE)
                if table.empty:
                    remedy = "Give a header and rows."
                    raise BadInput("FILE_EMPTY", "the file is empty", where=file.name, remedy=remedy)
                fields = fields_of(table.names, file.name)
                yield pa.string(), fields, table.reads(fields, ID)
        case FileFormat.PARQUET, Compression.NONE:
            rows = ParquetTable(file, file.name)
            fields = fields_of(rows.schema.names, file.name)
            yield rows.schema.field(ID).type, fields, rows.reads(fields, ID)
        case _:
            message = "the file is neither CSV nor Parquet by its name"
            raise BadInput("UNKNOWN_FORMAT", message, where=file.name, remedy=NAME_IT)


def _chunks(reads: Iterator[Read]) -> Iterator[list[Read]]:
    chunk: list[Read] = []
    for read in reads:
        chunk.append(read)
        if sum(r.count for r in chunk) >= _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _judging(fields: list[str], premises: Sequence[str]) -> str:
    """The query over `good` (row and address fields) and `bad` (row, code)."""
    absent = ", ".join(f"CAST(NULL AS VARCHAR) AS {f}" for f in FIELDS if f not in fields)
    good = f"(SELECT *{', ' + absent if absent else ''} FROM good)"
    parsed = address.derive(good, one_line="address" in fields, premises=premises)
    return f"""
        SELECT {address.complete("a_codes")} AS complete, a_codes AS codes, row FROM ({parsed})
        UNION ALL SELECT false, [code], row FROM bad ORDER BY row"""


def _judged(connection: duckdb.DuckDBPyConnection, query: str, chunk: list[Read]) -> pa.Table:
    """The verdicts of a chunk with their ids before them; raises Fault if a row was lost or doubled."""
    good = [read.table.append_column("row", pa.array(read.rows)) for read in chunk]
    bad = [{"row": r.row, "code": r.code} for read in chunk for r in read.rejects]
    connection.register("good", pa.concat_tables(good))
    connection.register("bad", pa.Table.from_pylist(bad, schema=_BAD))
    table = connection.execute(query).to_arrow_table()
    ids = pa.chunked_array([read.keys for read in chunk])
    rows = table["row"].to_numpy()
    if len(rows) != len(ids) or not np.array_equal(rows, np.arange(rows[0], rows[0] + len(ids))):
        raise Fault("COUNTS_DIFFER", "rows were lost or doubled", where=verdicts.NAME)
    return table.add_column(0, ID, ids)


def fields_of(names: Sequence[str], where: str) -> list[str]:
    """The address fields among the columns `names`; raises BadInput (MISSING_COLUMN, DUPLICATE_COLUMN)."""
    found = [name for name in FIELDS if name in names]
    for name in (ID, *found):
        if names.count(name) > 1:
            raise BadInput("DUPLICATE_COLUMN", f"duplicate column {name}", where=where, remedy="Keep one.")
    if ID not in names or not found:
        message = f"the file has no column {'of an address' if ID in names else ID}"
        remedy = f"Give {ID}, and either address (one line) or street, unit, city, state and zip."
        raise BadInput("MISSING_COLUMN", message, where=where, remedy=remedy)
    return found
