"""The recipient's side of a recall: which rows of its own table are on the recall list, and must be frozen.

A row that is missed stays in use, so in doubt a row is frozen: an id counts as on the list in its own spelling and in
that of the package's CSV (`forms.safe`), and a table that cannot be read to its end is refused whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import DuckSettings, parquet
from expectations.base.errors import BadInput
from expectations.instruments import FileFormat
from pipelines.lake.sql import Connection, copy, quiet
from pipelines.lake.workplace import workplace
from pipelines.read.blocks import opened
from pipelines.read.csv import CsvFile
from pipelines.read.formats import NAME_IT, of_name
from pipelines.recall.listing import open_recall
from pipelines.release import forms
from pipelines.sealing import Identity


@dataclass(frozen=True)
class Frozen:
    """What applying a list came to: rows of the table, those to freeze, ids on the list, and those that no row has."""

    manifest: dict[str, Any]
    table_rows: int
    frozen_rows: int
    listed: int
    unmatched: int


def apply_recall(
    recall: Path, identity: Identity, holders: Sequence[str], table: Path, out: Path, *, key: str, duck: DuckSettings
) -> Frozen:
    """Writes to `out` (.csv or .parquet) every row of `table` whose column `key` is on the list: row (from 1, header
    not counted), batch, request_id; then the listed ids that no row has, with an empty row. Raises BadInput as
    `open_recall` and `workplace` do; UNKNOWN_FORMAT, HEADER_UNREADABLE, TABLE_UNREADABLE, KEY_MISSING for the table."""
    with workplace(out, table, "recall") as work:
        settings = replace(duck, temp=str(work / "spill"))
        manifest, listed = open_recall(recall, identity, holders, work / "list", settings)
        with quiet("recall.apply", settings) as connection:
            rows = _load(connection, table, key)
            connection.execute(_found(parquet([listed])))
            result = work / f"freeze{out.suffix}"
            query = "SELECT row, batch, request_id FROM found ORDER BY row NULLS LAST, batch, request_id"
            if out.suffix == ".csv":
                forms.write_csv(connection, query, ("batch", "request_id"), result)
            else:
                copy(connection, query, result)
            counts = "SELECT count(DISTINCT row), count(*) FILTER (row IS NULL) FROM found"
            frozen, unmatched = connection.execute(counts).fetchall()[0]
        result.chmod(0o600)
        result.replace(out)
    return Frozen(manifest, rows, frozen, manifest["rows"], unmatched)


def _load(connection: Connection, table: Path, key: str) -> int:
    """Loads the table's ids, numbered, as `own` (row, id); gives their number."""
    connection.execute("CREATE TEMP TABLE own (row BIGINT, id VARCHAR)")
    if not table.is_file():
        raise BadInput("FILE_MISSING", "there is no such file", where=table.name, remedy="Check its name.")
    total = 0
    for ids in _parquet(table, key) if table.suffix == ".parquet" else _csv(table, key):
        piece = pa.table({"row": np.arange(total + 1, total + 1 + len(ids)), "id": ids})
        connection.register("piece", piece).execute("INSERT INTO own SELECT row, id FROM piece")
        total += len(ids)
    return total


def _parquet(table: Path, key: str) -> Iterator[pa.Array]:
    """The ids of a Parquet file, of whatever type, as text."""
    try:
        with pq.ParquetFile(table) as file:
            _check_key(file.schema_arrow.names, key)
            for batch in file.iter_batches(columns=[key]):
                yield batch.column(0).cast(pa.string())
    except (pa.ArrowException, OSError):  # they quote what they could not read
        raise _unreadable(table.name) from None


def _csv(table: Path, key: str) -> Iterator[pa.Array]:
    """The ids of a CSV file, by the submissions' reader: DuckDB's leaves out a last record whose quote stays open."""
    form, compression = of_name(table)
    if form is not FileFormat.CSV:
        message = "the table is neither CSV nor Parquet by its name"
        raise BadInput("UNKNOWN_FORMAT", message, where=table.name, remedy=NAME_IT)
    with opened(table, compression, table.name) as source:
        file = CsvFile(source)
        if not file.empty:
            _check_key(file.names, key)
        for read in file.reads():
            if read.rejects:
                raise _unreadable(f"{table.name}, row {read.rejects[0].row}")
            yield read.table.column(key).combine_chunks()


def _check_key(names: list[str], key: str) -> None:
    if names.count(key) != 1:
        remedy = "Name the column with the request ids."
        raise BadInput("KEY_MISSING", "the table has no column of this name, or several", where="--key", remedy=remedy)


def _unreadable(where: str) -> BadInput:
    remedy = "Export it again as CSV (RFC 4180, UTF-8) or Parquet."
    message = "the table cannot be read to its end; nothing was applied"
    return BadInput("TABLE_UNREADABLE", message, where=where, remedy=remedy)


def _found(listed: str) -> str:
    """SQL for the table `found`: every row of `own` that is listed, and every listed id that no row has."""
    return f"""
    CREATE TEMP TABLE found AS
    WITH listed AS (SELECT batch, request_id FROM {listed}),
    spelt AS (SELECT *, request_id AS id FROM listed UNION SELECT *, {forms.safe("request_id")} AS id FROM listed),
    hits AS (SELECT DISTINCT own.row, spelt.batch, spelt.request_id FROM own JOIN spelt USING (id))
    SELECT * FROM hits
    UNION ALL BY NAME SELECT batch, request_id FROM listed ANTI JOIN hits USING (batch, request_id)"""
