"""A checkpoint: runs a suite on what a stage committed, and gives a verdict.

PASS only if every declared check was evaluated and met, on the number of rows that the manifest says, more than zero.
Anything else stops the flow: an empty suite, an empty table, a missing column, a rule that raised are never PASS.
Great Expectations does the checking; it is imported late, because that takes seconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb

from expectations import codes
from expectations.contracts import schema
from expectations.duck import DuckSettings, quote, session
from expectations.errors import Fault
from expectations.gx.kinds import LOOKS_AT_ROWS, Kind
from expectations.gx.run import Finding, evaluate
from expectations.rules.rule import REFUSES, Disposition, Rule

Setup = Callable[[duckdb.DuckDBPyConnection], None]
_GROUP = 61_440  # rows of a row group: two threads have one each at a hundred thousand rows


class Status(StrEnum):
    PASS = "PASS"
    HOLD = "HOLD"  # evaluated as declared, and a check failed
    REFUSE = "REFUSE"  # … and one of those refuses the batch
    ERROR = "ERROR"  # something was not evaluated: nothing is known, so nothing passes


@dataclass(frozen=True)
class Check:
    """One declared check on one table.

    arguments    what its kind needs; see the constructors below
    code         of the closed list: what its failure means; `source` of law with it
    disposition  what its failure does
    poison       columns of the table that, so changed, violate this check: the self-test proves that it then fails
    """

    id: str
    table: str
    kind: Kind
    arguments: Mapping[str, Any]
    code: str
    disposition: Disposition = Disposition.HOLD_BATCH
    poison: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return codes.code(self.code).source


def rule(one: Rule, table: str) -> Check:
    """Every row of `table` meets the rule; NULL is a failure."""
    return condition(one.id, table, one.inputs, one.predicate, one.code, one.poison, one.disposition)


def condition(
    id: str,
    table: str,
    columns: Sequence[str],
    predicate: str,
    code: str,
    poison: Mapping[str, Any],
    disposition: Disposition = Disposition.HOLD_BATCH,
) -> Check:
    """Every row of `table` fulfils `predicate` (DuckDB SQL over `columns`); NULL is a failure."""
    return Check(id, table, Kind.RULE, {"columns": tuple(columns), "predicate": predicate}, code, disposition, poison)


def row_count(id: str, table: str, rows: int, code: str = "COUNTS_DIFFER") -> Check:
    """`table` has exactly `rows` rows."""
    return Check(id, table, Kind.ROWS, {"rows": rows}, code)


def unique(id: str, table: str, column: str, code: str = "COUNTS_DIFFER") -> Check:
    """No value of `column` is null or a duplicate."""
    return Check(id, table, Kind.UNIQUE, {"column": column}, code)


def in_set(id: str, table: str, column: str, values: Iterable[str], *, null: bool, code: str) -> Check:
    """Every value of `column` is one of `values`, or null where that is allowed."""
    return Check(id, table, Kind.IN_SET, {"column": column, "values": tuple(values), "null": null}, code)


def columns(id: str, table: str, names: Iterable[str], code: str = "VERDICT_DIFFERS") -> Check:
    """`table` has these columns, no more and no less."""
    return Check(id, table, Kind.COLUMNS, {"columns": tuple(names)}, code)


def columns_of(id: str, table: str, contract: str) -> Check:
    """`table` has the columns of the contract called `contract`."""
    return columns(id, table, schema(contract).names)


@dataclass(frozen=True)
class Suite:
    """What must hold at one checkpoint.

    checks   in the order in which they are reported; ids are unique
    main     the table whose row count is the manifest's
    setup    defines the macros that the tables' SQL uses
    """

    name: str
    main: str
    checks: tuple[Check, ...]
    setup: tuple[Setup, ...] = ()

    def __post_init__(self) -> None:
        ids = [c.id for c in self.checks]
        if len(set(ids)) != len(ids):
            raise Fault("RULE_TWICE", f"suite {self.name} declares a check twice")


@dataclass(frozen=True)
class Result:
    """How one check came out: `rows` looked at, `failed` of them. `ok` None: not evaluated, and `error` says why."""

    check: str
    table: str
    ok: bool | None
    rows: int | None
    failed: int | None
    code: str
    source: str
    disposition: str
    error: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a checkpoint decided. Counts and ids only; `gx` is GX's own results, reduced, for Data Docs."""

    suite: str
    status: Status
    declared: int
    evaluated: int
    rows: int
    results: tuple[Result, ...]
    gx: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def failed(self) -> tuple[Result, ...]:
        """Results that are not ok, in the suite's order."""
        return tuple(r for r in self.results if not r.ok)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of what failed, sorted."""
        return tuple(sorted({r.code for r in self.failed}))

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON can hold it."""
        return {**asdict(self), "status": str(self.status)}


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
        found, gx = evaluate(connection, suite.name, _by_table(checks, set(tables) - set(broken)))
    for finding in found:
        findings.setdefault(finding.check, []).append(finding)
    results = tuple(_result(c, findings.get(c.id, []), broken.get(c.table)) for c in checks)
    evaluated = sum(r.ok is not None for r in results)
    return Verdict(suite.name, _status(suite, results, rows), len(results), evaluated, rows, results, tuple(gx))


def _by_table(checks: Sequence[Check], known: set[str]) -> dict[str, list[Check]]:
    tables: dict[str, list[Check]] = {c.table: [] for c in checks if c.table in known}
    for check in checks:
        if check.table in known:
            tables[check.table].append(check)
    return tables


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

    What is worked out is kept as Parquet in `folder`: a table in memory is not compressed, and a million rows would not
    fit.
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
    failed = [f.failed for f in findings if f.failed is not None]
    empty = LOOKS_AT_ROWS[check.kind] and (not counts or min(counts) == 0)
    error = broken or (errors[0] if errors else None) or ("NO_RESULT" if not findings else "NO_ROWS" if empty else None)
    return Result(
        check.id,
        check.table,
        None if error else all(f.success for f in findings),
        min(counts, default=None),
        max(failed, default=None),
        check.code,
        check.source,
        str(check.disposition),
        error,
    )


def _status(suite: Suite, results: Sequence[Result], rows: int) -> Status:
    if not suite.checks or rows <= 0 or any(r.ok is None for r in results):
        return Status.ERROR
    if all(r.ok for r in results):
        return Status.PASS
    refused = any(not r.ok and REFUSES[Disposition(r.disposition)] for r in results)
    return Status.REFUSE if refused else Status.HOLD
