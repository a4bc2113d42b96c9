"""Runs SQL for a worker: a connection whose errors hold no values, and results in the contracts' schemas."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from expectations.base.duck import DuckSettings, quote, session
from pipelines.lake.commit import ROW_GROUP
from pipelines.lake.failures import no_values

Connection = duckdb.DuckDBPyConnection


@contextmanager
def quiet(step: str, settings: DuckSettings) -> Iterator[Connection]:
    """A connection for `step`; raises as `failures.no_values` does."""
    with no_values(step), session(settings) as connection:
        yield connection


def table(connection: Connection, query: str, schema: pa.Schema) -> pa.Table:
    """The result of `query` in `schema`, column by column by name; NULL where the schema forbids it is an error."""
    names = ", ".join(f'"{n}"' for n in schema.names)
    return connection.execute(f"SELECT {names} FROM ({query})").to_arrow_table().cast(schema)


def copy(
    connection: Connection,
    query: str,
    target: Path,
    *,
    compression: str = "zstd",
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes the result of `query` as Parquet. `metadata`: of the file, by key."""
    pairs = ", ".join(f"{quote(key)}: {quote(value)}" for key, value in (metadata or {}).items())
    said = f", KV_METADATA {{{pairs}}}" if pairs else ""
    how = f"FORMAT parquet, COMPRESSION {compression}, ROW_GROUP_SIZE {ROW_GROUP}, WRITE_BLOOM_FILTER false{said}"
    connection.execute(f"COPY ({query}) TO {quote(str(target))} ({how})")
