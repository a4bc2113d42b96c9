"""DuckDB's SQLAlchemy dialect for Great Expectations: `duckdb+sluicegate:///FILE`.

GX closes its connection before it fetches, which loses a DuckDB result: here every result is buffered as soon as the
statement has run.
"""

from typing import Any

from duckdb_sqlalchemy import Dialect
from sqlalchemy.dialects import registry
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy


class BufferedContext(Dialect.execution_ctx_cls):
    """Takes all rows of a statement before anybody can close the connection."""

    def post_exec(self) -> None:
        super().post_exec()
        if self.cursor.description:
            rows = self.cursor.fetchall()
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(self.cursor, initial_buffer=rows)


class BufferedDialect(Dialect):
    """The maintained dialect, with buffered results."""

    execution_ctx_cls = BufferedContext
    supports_statement_cache = False

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """None: GX asks for that of each table, and nothing that we look at has one. To search for it costs two
        queries."""
        return {"constrained_columns": [], "name": None}


registry.register("duckdb.sluicegate", __name__, "BufferedDialect")
