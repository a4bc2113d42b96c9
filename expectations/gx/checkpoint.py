"""A checkpoint: runs a suite on what a stage committed, and gives a verdict.

PASS only if every declared check was evaluated and met, on the number of rows that the manifest says, more than zero.
Anything else stops the flow: an empty suite, an empty table, a missing column, a rule that raised are never PASS.
Great Expectations does the checking; it is imported late, because that takes seconds.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from expectations.base.duck import DuckSettings, quote, session
from expectations.gx.checks import LOOKS_AT_ROWS, Check, Setup, Suite, row_count
from expectations.gx.evaluate import Finding, evaluate
from expectations.gx.verdict import Result, Status, Verdict
from expectations.rules.rule import REFUSES, Disposition

_EMPTY = "NO_ROWS"  # why a check of rows was not evaluated: there are none
_GROUP = 61_440  # rows of a row group: two threads have one each at a hundred thousand rows


def run(suite: Suite, tables: Mapping[str, str], *, rows: int, duck: DuckSettings | None = None) -> Verdict:
    """Runs `suite` on `tables` and judges.

    tables   name → SQL: what can stand in FROM becomes a view; a SELECT is worked out once and kept for all checks.
             In their order, so that one can read those before it.
    rows     what the stage's manifest says of the main table

    Never raises for what is in the tables: what cannot be worked out is not evaluated, and the verdict is ERROR.
    """
    manifest = row_count(f"{suite.name}.rows", suite.main, rows)
    checks = (manifest, *suite.checks)
    findings: dict[str, list[Finding]] = {}
    with _folder(duck) as folder, session(duck) as connection:
        broken = prepare(connection, suite.setup, tables, folder)
        made = [name for name in dict.fromkeys(c.table for c in checks) if name in tables and name not in broken]
        own = {name: [c for c in checks if c.table == name] for name in made}
        found, gx = evaluate(connection, suite.name, own)
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
    connection: duckdb.DuckDBPyConnection, setup: Iterable[Setup], tables: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """Makes the tables in a session; returns those that could not be made, with the name of the exception's type.

    What is worked out is kept as Parquet in `folder`: in memory it is not compressed, and a million rows would not fit.
    """
    broken: dict[str, str] = {}
    for define in setup:
        define(connection)
    for name, sql in tables.items():
        select = sql.lstrip().upper().startswith(("SELECT", "WITH"))
        try:
            if select:
                path = quote(str(folder / f"{name}.parquet"))
                connection.execute(f"COPY ({sql}) TO {path} (FORMAT parquet, ROW_GROUP_SIZE {_GROUP})")
                sql = f"read_parquet({path})"
            connection.execute(f'CREATE VIEW "{name}" AS FROM {sql}')
        except duckdb.Error as error:
            broken[name] = type(error).__name__
    return broken


def _result(check: Check, findings: list[Finding], broken: str | None) -> Result:
    errors = [f.error for f in findings if f.error]
    counts = [f.rows for f in findings if f.rows is not None]
    rows, failed = min(counts, default=None), max((f.failed for f in findings if f.failed is not None), default=None)
    empty = LOOKS_AT_ROWS[check.kind] and not rows
    error = broken or (errors[0] if errors else None) or ("NO_RESULT" if not findings else _EMPTY if empty else None)
    ok = None if error else all(f.success for f in findings)
    return Result(check.id, check.table, ok, rows, failed, check.code, check.source, str(check.disposition), error)


def _status(suite: Suite, results: Sequence[Result], rows: int) -> Status:
    """What was not evaluated never passes. But where all that is missing is rows (each of them was held, because the
    letter names no officer, or no statute that there are rules for), what refuses the batch was found, and refuses
    it."""
    unknown = {r.error for r in results if r.ok is None}
    refused = any(r.ok is False and REFUSES[Disposition(r.disposition)] for r in results)
    if not suite.checks or rows <= 0 or (unknown and not (refused and unknown == {_EMPTY})):
        return Status.ERROR
    if all(r.ok for r in results):
        return Status.PASS
    return Status.REFUSE if refused else Status.HOLD
