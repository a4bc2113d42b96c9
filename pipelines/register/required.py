"""A field that must not be empty, in Parquet that is read as it is: rows without an id would be lost.

Of what is read from text `columns.read` says it. Here nothing else is read for it: Parquet says in its footer how many
nulls a column has, so that a register of any size costs its footers.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from expectations.base import duck
from pipelines.lake.sql import quiet
from pipelines.register import columns
from pipelines.register.table import Table


def refuse_empty(table: Table, settings: duck.DuckSettings) -> None:
    """Raises BadInput with file, row and field if a field of `table` (`direct`) is empty that must not be."""
    for path in table.paths:
        footer = pq.read_metadata(Path(path))
        for field in columns.required(table):
            if _may_be_null(footer, table.columns[field]):
                _refuse(table, path, field, settings)


def _may_be_null(footer: pq.FileMetaData, column: str) -> bool:
    """What the footer says of a column; true where it says nothing."""
    index = [footer.schema.column(n).path for n in range(footer.num_columns)].index(column)
    groups = (footer.row_group(n).column(index).statistics for n in range(footer.num_row_groups))
    return any(it is None or not it.has_null_count or it.null_count > 0 for it in groups)


def _refuse(table: Table, path: str, field: str, settings: duck.DuckSettings) -> None:
    with quiet(table.where(path), settings) as con:
        row = (con.execute(columns.first_empty(table, path, field)).fetchone() or (None,))[0]
    if row is not None:
        raise columns.fault("empty", table, path, field, row)
