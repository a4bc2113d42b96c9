"""SQLAlchemy's way to a DuckDB connection of ours, for Great Expectations.

Two things are changed in the maintained dialect. GX closes its connection before it fetches, which loses a DuckDB
result: every result is buffered as soon as the statement has run. And a URL names a connection that `duck.connect` has
opened already, with its threads, memory, temporary folder and macros, in place of opening one with DuckDB's defaults.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import sqlalchemy
from duckdb_sqlalchemy import ConnectionWrapper, Dialect
from sqlalchemy.dialects import registry
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

_OPEN: dict[str, duckdb.DuckDBPyConnection] = {}


class _BufferedContext(Dialect.execution_ctx_cls):
    """Takes all rows of a statement before anybody can close the connection."""

    def post_exec(self) -> None:
        super().post_exec()
        if self.cursor.description:
            rows = self.cursor.fetchall()
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(self.cursor, initial_buffer=rows)


class _Borrowed(ConnectionWrapper):
    """A connection whose owner closes it: closing the engine must not end the session that holds tables and macros."""

    autocommit = True

    def close(self) -> None:
        self.closed = True


class BufferedDialect(Dialect):
    """`duckdb+buffered:///NAME`, where NAME was given by `url`."""

    execution_ctx_cls = _BufferedContext
    supports_statement_cache = False

    def connect(self, *_: Any, **given: Any) -> _Borrowed:
        return _Borrowed(_OPEN[str(given["database"])])

    @classmethod
    def get_pool_class(cls, url: sqlalchemy.URL) -> type[sqlalchemy.pool.Pool]:
        return sqlalchemy.pool.StaticPool


registry.register("duckdb.buffered", __name__, "BufferedDialect")


@contextmanager
def url(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The URL under which SQLAlchemy reaches `connection`, until the end of the block."""
    name = uuid.uuid4().hex
    _OPEN[name] = connection
    try:
        yield f"duckdb+buffered:///{name}"
    finally:
        del _OPEN[name]
