"""The file of requests of a match alone: raw rows as CSV, or as Parquet whose types may be those of a data frame."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from expectations.base.duck import quote
from expectations.base.errors import BadInput
from expectations.contracts.request import RAW_NAMES
from expectations.instruments import Compression, FileFormat
from pipelines.read.blocks import opened
from pipelines.read.csv import TABLE, CsvFile
from pipelines.read.formats import of_name


def check(path: Path) -> None:
    """Raises BadInput if the file is not there, is no CSV or Parquet, cannot be read, or has no request_id."""
    form, compression = of_name(path)
    if form not in (FileFormat.CSV, FileFormat.PARQUET) or compression is not Compression.NONE:
        message = "the file of requests is neither CSV nor Parquet by its name"
        raise BadInput("UNKNOWN_FORMAT", message, where=path.name, remedy="Name it .csv or .parquet.")
    try:
        names = pq.read_schema(path).names if form is FileFormat.PARQUET else _csv_names(path)
    except FileNotFoundError:
        raise BadInput("FILE_MISSING", "there is no such file", where=path.name, remedy="Check its name.") from None
    except (OSError, ValueError, BadInput):
        raise _unreadable(path) from None
    if "request_id" not in names:
        remedy = "See sluicegate schema request."
        raise BadInput("MISSING_COLUMN", "the file has no column request_id", where=path.name, remedy=remedy)


def load(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Makes the table `raw`: the rows as text, with their place in the file; columns that are not there are null.

    Raises BadInput (FILE_UNREADABLE).
    """
    columns = ", ".join(f"{n} VARCHAR" for n in RAW_NAMES)
    con.execute(f"CREATE TEMP TABLE raw (ordinal BIGINT, {columns})")
    try:
        if of_name(path)[0] is FileFormat.PARQUET:
            present = {f.name: _text(f) for f in pq.read_schema(path) if f.name in RAW_NAMES}
            source = f"read_parquet({quote(str(path))}, file_row_number = true)"
            _insert(con, "file_row_number", present, source)
            return
        with opened(path, Compression.NONE, path.name) as stream:
            file = CsvFile(stream, TABLE)
            given = [n for n in RAW_NAMES if n in file.names]
            for read in file.reads(given):
                if read.rejects:
                    raise _unreadable(path)
                con.register("stretch", read.table.append_column("row", pa.array(read.rows)))
                _insert(con, "row - 1", {n: f"nullif({n}, '')" for n in given}, "stretch")
    except duckdb.Error:
        raise _unreadable(path) from None


def _insert(con: duckdb.DuckDBPyConnection, ordinal: str, texts: dict[str, str], source: str) -> None:
    columns = ", ".join(f"{text} AS {name}" for name, text in texts.items())
    con.execute(f"INSERT INTO raw BY NAME SELECT {ordinal} AS ordinal, {columns} FROM {source}")


def _csv_names(path: Path) -> list[str]:
    with opened(path, Compression.NONE, path.name) as source:
        return CsvFile(source, TABLE).names


def _text(field: pa.Field) -> str:
    """SQL: a column as its text. Data frames hold dates as timestamps, and numbers as fractions once one is missing."""
    name, kind = field.name, field.type
    if kinds.is_timestamp(kind) and kind.tz is None:
        return f"CAST(CAST({name} AS DATE) AS VARCHAR)"
    if kinds.is_floating(kind):
        whole = f"CASE WHEN {name} = trunc({name}) THEN TRY_CAST({name} AS BIGINT) END"
        return f"CASE WHEN NOT isnan({name}) THEN coalesce(CAST({whole} AS VARCHAR), CAST({name} AS VARCHAR)) END"
    return f"CAST({name} AS VARCHAR)"


def _unreadable(path: Path) -> BadInput:
    remedy = "Give CSV (RFC 4180, UTF-8, with a header) or Parquet."
    return BadInput("FILE_UNREADABLE", "the file of requests cannot be read", where=path.name, remedy=remedy)
