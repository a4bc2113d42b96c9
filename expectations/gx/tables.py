"""The tables that a suite looks at, worked out in a DuckDB session."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import beside, quote
from expectations.gx.checks import Setup

# A table of a suite: SQL, or what is worked out by other means from the tables before it.
Table = str | Callable[[duckdb.DuckDBPyConnection], pa.Table]
Tables = Mapping[str, Table]

_WORD = re.compile(r"\w+")
_GROUP = 61_440  # rows of a row group: two threads have one each at a hundred thousand rows


def prepare(
    connection: duckdb.DuckDBPyConnection, setup: Iterable[Setup], tables: Tables, folder: Path, *, few: bool = False
) -> dict[str, str]:
    """Makes the tables in a session; returns those that could not be made, with the name of the exception's type.

    What is worked out is kept as Parquet in `folder`: in memory it is not compressed, and a million rows would not fit.
    A `few` rows do, and no file is opened for each query.
    """
    for define in setup:
        define(connection)
    if few:
        return _side_by_side(connection, tables)
    broken: dict[str, str] = {}
    for name, table in tables.items():
        try:
            connection.execute(f'CREATE VIEW "{name}" AS FROM {_kept(connection, table, folder / f"{name}.parquet")}')
        except Exception as error:  # whatever it stumbled over: its text may quote values
            broken[name] = type(error).__name__
    return broken


def _side_by_side(connection: duckdb.DuckDBPyConnection, tables: Tables) -> dict[str, str]:
    """Makes tables of few rows, each as soon as those before it are made that it names. Most of what they take is
    planning, for which DuckDB has one thread a query."""
    begun: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(len(tables) or 1) as pool:  # most of them wait
        for name, table in tables.items():
            reads = _may_read(table)
            needed = [made for other, made in begun.items() if reads is None or other.lower() in reads]
            begun[name] = pool.submit(_made, beside(connection), name, table, needed)
    errors = {name: made.exception() for name, made in begun.items()}
    return {name: type(error).__name__ for name, error in errors.items() if error}


def _may_read(table: Table) -> Collection[str] | None:
    """The names of tables that it may read, and other words. None: any, as what is no SQL and does not say."""
    if isinstance(table, str):
        return set(_WORD.findall(table.lower()))
    return getattr(table, "reads", None)


def _made(connection: duckdb.DuckDBPyConnection, name: str, table: Table, needed: list[Future[None]]) -> None:
    """Makes a table in the session's memory, once `needed` have ended. They were begun before: nothing waits for ever.
    If one of them was not made, this one is not found to be either."""
    wait(needed)
    with connection:
        if not isinstance(table, str):
            connection.register(f"{name}!", table(connection))
            connection.execute(f'CREATE TABLE "{name}" AS FROM "{name}!"')
        else:
            # no view: each query of GX would plan it anew
            connection.execute(f'CREATE TABLE "{name}" AS {"" if _is_worked_out(table) else "FROM "}{table}')


def _is_worked_out(table: str) -> bool:
    """What can stand in FROM is no more than a name."""
    return table.lstrip().upper().startswith(("SELECT", "WITH"))


def _kept(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> str:
    """What can stand in FROM for a table, worked out and written to `path` unless it is no more than a name."""
    if not isinstance(table, str):
        pq.write_table(table(connection), path)
    elif _is_worked_out(table):
        connection.execute(f"COPY ({table}) TO {quote(str(path))} (FORMAT parquet, ROW_GROUP_SIZE {_GROUP})")
    else:
        return table
    return f"read_parquet({quote(str(path))})"
