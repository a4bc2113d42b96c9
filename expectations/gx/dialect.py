"""SQLAlchemy's way to a DuckDB connection of ours, for Great Expectations.

Beside buffered results (`portable.buffered`): a URL names the connection of a `duck.session`, with its threads, memory,
temporary folder and macros, in place of opening one with DuckDB's defaults.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import sqlalchemy
from duckdb_sqlalchemy import ConnectionWrapper
from sqlalchemy.dialects import registry

from expectations.gx.portable.buffered import BufferedDialect

_OPEN: dict[str, duckdb.DuckDBPyConnection] = {}


class _Borrowed(ConnectionWrapper):
    """A connection whose owner closes it: closing the engine must not end the session that holds tables and macros."""

    autocommit = True

    def close(self) -> None:
        self.closed = True


class BorrowedDialect(BufferedDialect):
    """`duckdb+borrowed:///NAME`, where NAME was given by `url`."""

    supports_statement_cache = False

    def connect(self, *_: Any, **given: Any) -> _Borrowed:
        return _Borrowed(_OPEN[str(given["database"])])

    @classmethod
    def get_pool_class(cls, url: sqlalchemy.URL) -> type[sqlalchemy.pool.Pool]:
        return sqlalchemy.pool.StaticPool


registry.register("duckdb.borrowed", __name__, "BorrowedDialect")


@contextmanager
def url(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The URL under which SQLAlchemy reaches `connection`, until the end of the block."""
    name = uuid.uuid4().hex
    _OPEN[name] = connection
    try:
        yield f"duckdb+borrowed:///{name}"
    finally:
        del _OPEN[name]
