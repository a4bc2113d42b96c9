"""A checkpoint: runs a suite on what a stage committed, and gives a verdict.

PASS only if every declared check was evaluated and met, on the number of rows that the manifest says, more than zero.
Anything else stops the flow: an empty suite, an empty table, a missing column, a rule that raised are never PASS.
Great Expectations does the checking; it is imported late, because that takes seconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import FEW, DuckSettings, quote, session
from expectations.gx.checks import LOOKS_AT_ROWS, Check, Setup, Suite, row_count
from expectations.gx.evaluate import evaluate
from expectations.gx.verdict import Result, Status, Verdict
from expectations.rules.rule import REFUSES, Disposition

# A table of a suite: SQL, or what is worked out by other means from the tables before it.
Table = str | Callable[[duckdb.DuckDBPyConnection], pa.Table]
Tables = Mapping[str, Table]
if TYPE_CHECKING:
    from expectations.gx.portable.decide import Finding

_GROUP = 61_440  # rows of a row group: two threads have one each at a hundred thousand rows


def run(suite: Suite, tables: Tables, *, rows: int, duck: DuckSettings | None = None) -> Verdict:
    """Runs `suite` on `tables` and judges.

    tables   name → SQL: what can stand in FROM becomes a view; a SELECT is worked out once and kept for all checks, and
             so is what a function gives. In their order, so that one can read those before it.
    rows     what the stage's manifest says of the main table

    Never raises for what is in the tables: what cannot be worked out is not evaluated, and the verdict is ERROR.
    """
    manifest = row_count(f"{suite.name}.rows", suite.main, rows)
    checks = (manifest, *suite.checks)
    findings: dict[str, list[Finding]] = {}
    planned = (duck or DuckSettings()).for_rows(rows, register=True)
    with _folder(duck) as folder, session(planned) as connection:
        broken = prepare(connection, suite.setup, tables, folder, few=rows <= FEW)
        made = [name for name in dict.fromkeys(c.table for c in checks) if name in tables and name not in broken]
        own = {name: [c for c in checks if c.table == name] for name in made}
        found, gx = evaluate(connection, suite.name, own, rows)
    for finding in found:
        findings.setdefault(finding.check, []).append(finding)
    results = tuple(_result(c, findings.get(c.id, []), broken.get(c.table)) for c in checks)
    evaluated = sum(r.ok is not None for r in results)
    return Verdict(suite.name, _status(suite, results, rows), len(results), evaluated, rows, results, tuple(gx))


@contextmanager
def _folder(duck: DuckSettings | None) -> Iterator[Path]:
    """Where tables lie while a suite runs: where DuckDB itself would spill."""
    if duck and duck.temp:
        Path(duck.temp).mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="checkpoint-", dir=duck.temp if duck else None) as folder:
        yield Path(folder)


def prepare(
    connection: duckdb.DuckDBPyConnection, setup: Iterable[Setup], tables: Tables, folder: Path, *, few: bool = False
) -> dict[str, str]:
    """Makes the tables in a session; returns those that could not be made, with the name of the exception's type.

    What is worked out is kept as Parquet in `folder`: in memory it is not compressed, and a million rows would not fit.
    A `few` rows do, and no file is opened for each query.
    """
    broken: dict[str, str] = {}
    for define in setup:
        define(connection)
    for name, table in tables.items():
        try:
            if few and _is_worked_out(table):
                _make(connection, name, table)
            else:
                kept = _kept(connection, table, folder / f"{name}.parquet")
                connection.execute(f'CREATE VIEW "{name}" AS FROM {kept}')
        except Exception as error:  # whatever it stumbled over: its text may quote values
            broken[name] = type(error).__name__
    return broken


def _is_worked_out(table: Table) -> bool:
    """What can stand in FROM is no more than a name."""
    return not isinstance(table, str) or table.lstrip().upper().startswith(("SELECT", "WITH"))


def _make(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> None:
    """Works a table out in the session's memory."""
    if isinstance(table, str):
        connection.execute(f'CREATE TABLE "{name}" AS {table}')
        return
    connection.register(f"{name}!", table(connection))
    connection.execute(f'CREATE TABLE "{name}" AS FROM "{name}!"')
    connection.unregister(f"{name}!")


def _kept(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> str:
    """What can stand in FROM for a table, worked out and written to `path` unless it is no more than a name."""
    if not isinstance(table, str):
        pq.write_table(table(connection), path)
    elif _is_worked_out(table):
        connection.execute(f"COPY ({table}) TO {quote(str(path))} (FORMAT parquet, ROW_GROUP_SIZE {_GROUP})")
    else:
        return table
    return f"read_parquet({quote(str(path))})"


def _result(check: Check, findings: list[Finding], broken: str | None) -> Result:
    from expectations.gx.portable import decide

    ended = decide.ended(findings, LOOKS_AT_ROWS[check.kind], broken)
    said = check.code, check.source, str(check.disposition)
    return Result(check.id, check.table, ended.ok, ended.rows, ended.failed, *said, ended.error, check.informs)


def _status(suite: Suite, results: Sequence[Result], rows: int) -> Status:
    from expectations.gx.portable import decide

    judged = [decide.Judged(r.ok, r.error, REFUSES[Disposition(r.disposition)], r.informs) for r in results]
    return Status(decide.status(judged if suite.checks else [], rows))
