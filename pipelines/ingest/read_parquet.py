"""Parquet to text columns, through DuckDB: it keeps to a memory limit whatever the pages claim to hold, and no value leaves
it longer than a field may be (and one character more, by which the screens see that it is too long)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from expectations import duck
from expectations.contracts import REQUIRED_COLUMNS
from expectations.errors import BadInput
from pipelines.ingest.reading import MAX_FIELD, Read, check_columns, whole

_ROWS = 20_000


def read_parquet(
    path: Path, where: str, settings: duck.DuckSettings, required: tuple[str, ...] = REQUIRED_COLUMNS
) -> Iterator[Read]:
    """Stretches of the file in order; raises BadInput: NOT_PARQUET, COLUMN_TYPE, those of `check_columns`."""
    names = _columns(path, where, required)
    fields = ", ".join(f"left(CAST({n} AS VARCHAR), {MAX_FIELD + 1}) AS {n}" for n in names)
    query = f"SELECT {fields} FROM read_parquet({duck.quote(str(path))}, hive_partitioning = false)"
    row = 1
    try:
        with duck.session(replace(settings, preserve_order=True)) as connection:
            for batch in connection.execute(query).to_arrow_reader(_ROWS):
                yield whole(pa.Table.from_batches([batch]), row)
                row += batch.num_rows
    except (duckdb.Error, pa.ArrowException, OSError):
        raise BadInput(
            "NOT_PARQUET", "the file cannot be read as Parquet with text in UTF-8, within the memory allowed",
            where=f"{where}, after row {row - 1}", remedy="Write it again, with smaller row groups.",
        ) from None  # fmt: skip


def _columns(path: Path, where: str, required: tuple[str, ...]) -> list[str]:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        raise BadInput(
            "NOT_PARQUET", "the file is not Parquet", where=where,
            remedy="Check its format and compression in the letter.",
        ) from None  # fmt: skip
    check_columns(schema.names, where, required)
    for field in schema:
        check_type(field, where)
    return list(schema.names)


def check_type(field: pa.Field, where: str) -> None:
    """Raises BadInput (COLUMN_TYPE) unless the column is text, or of a type that has one way to be written as text."""
    kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
    if not (is_text(kind) or kinds.is_integer(kind) or kinds.is_date(kind) or kinds.is_null(kind)):
        raise BadInput(
            "COLUMN_TYPE", f"column {field.name} is neither text, integer nor date", where=where,
            remedy="Write it as text.",
        )  # fmt: skip


def is_text(kind: pa.DataType) -> bool:
    return kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)
