"""Temporary tables of a connection, made from a query or from rows in memory, and the files written from them."""

from pathlib import Path

import duckdb
import pyarrow as pa

from expectations.base.duck import quote

PARQUET = "parquet, COMPRESSION zstd"


def make(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """The table `name` with what `query` gives, in place of an earlier one."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def put(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, key: str) -> None:
    """The table `name` with these rows, ordered by `key`."""
    connection.register("given_rows", rows)
    make(connection, name, f"SELECT * FROM given_rows ORDER BY {key}")
    connection.unregister("given_rows")


def write(connection: duckdb.DuckDBPyConnection, query: str, path: Path, form: str = PARQUET) -> None:
    """The file `path` with what `query` gives."""
    connection.execute(f"COPY ({query}) TO {quote(str(path))} (FORMAT {form})")
