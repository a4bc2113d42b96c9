"""One set of compiled statements for all ledgers of a process. A test has a ledger of its own, and so an engine of its
own, which would compile each statement again: a third of the time of a test of the ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.util import LRUCache

OURS = {("sqlite", "pysqlite"), ("postgresql", "psycopg")}  # others have their own ideas of what a dialect may keep
_shared: dict[tuple[str, str], tuple[Dialect, LRUCache[Any, Any]]] = {}


def share() -> None:
    """From now on: a statement is known by its dialect, so connections of one kind get the same."""
    if not event.contains(Engine, "engine_connect", _connected):
        event.listen(Engine, "engine_connect", _connected)


def _connected(connection: Connection) -> None:
    kind = connection.dialect.name, connection.dialect.driver
    if kind in OURS:
        connection.dialect, compiled = _shared.setdefault(kind, (connection.dialect, LRUCache(1000)))
        connection.execution_options(compiled_cache=compiled)
