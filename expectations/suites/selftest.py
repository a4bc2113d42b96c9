"""Proves each night that every gate can fail: each check of each suite, on a row poisoned for it and on one all null.

A check that has stopped looking (a predicate that became TRUE, a suite that lost it, rows that GX left out) is found
here. The made batch passes first; then every table is replaced by poisoned rows, which the suite must refuse, check by
check. What GX counts is compared with what our own SQL finds, row by row.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

from expectations.base.duck import DuckSettings, quote, session
from expectations.base.total import total
from expectations.contracts.lists import Stage
from expectations.contracts.request import RAW_NAMES
from expectations.facts.letter import LetterFacts
from expectations.gx import checkpoint
from expectations.gx.checks import Check, Kind, Suite
from expectations.gx.tables import prepare
from expectations.gx.verdict import Result, Status
from expectations.suites import disclosure, eligibility, intake, made, made_letter, matching

# The suite of the checkpoint behind each stage, in their order.
SUITES: tuple[ModuleType, ...] = tuple(
    total(
        Stage, {Stage.INGEST: intake, Stage.MATCH: matching, Stage.VALIDATE: eligibility, Stage.RELEASE: disclosure}
    ).values()
)
CLEAN, NULL = "clean", "null"
# Tables of rows as a stage committed them: their poison goes in as stage output, and is derived again like any row.
_FROM_STAGE = ("passed", "eligible")
# Kinds with a predicate: what GX counts is compared with what our own SQL finds.
_ON_ROWS = (Kind.RULE, Kind.SHARE)


@dataclass(frozen=True)
class Proof:
    """Whether a check failed as it must (or, for `clean`, whether the clean batch passed)."""

    suite: str
    rule: str
    can_fail: bool


def selftest(suites: Iterable[ModuleType] = SUITES, duck: DuckSettings | None = None) -> list[Proof]:
    """A proof for every check of every suite, and one named `clean` for each suite's clean batch.

    Takes some seconds. The gates may be trusted only if every proof holds.
    """
    letter = made_letter.letter_facts()
    proofs: list[Proof] = []
    with tempfile.TemporaryDirectory(prefix="sluicegate-selftest-") as folder:
        for module in suites:
            proofs += _of_suite(module, letter, Path(folder) / module.NAME, duck)
    return proofs


def _of_suite(module: ModuleType, letter: LetterFacts, folder: Path, duck: DuckSettings | None) -> list[Proof]:
    suite = declared(module)
    ordinals = {check.id: 10 + n for n, check in enumerate(suite.checks) if check.table in _FROM_STAGE}
    poisons = {ordinals[c.id]: c.poison for c in suite.checks if c.id in ordinals}
    raw = {n: {k: v for k, v in poison.items() if k in RAW_NAMES} for n, poison in poisons.items()}
    clean, dirty = made.Batch(folder / CLEAN, letter, {}), made.Batch(folder / "poisoned", letter, raw)
    good, bad, failing = _poisoned(module, suite, ordinals, clean, dirty, duck)
    rows = _inputs(module, clean).committed
    passed = checkpoint.run(suite, good, rows=rows, duck=duck).status == Status.PASS
    verdict = checkpoint.run(suite, bad, rows=rows, duck=duck)
    results = {r.check: r for r in verdict.results}
    proofs = [Proof(suite.name, c.id, _proven(c, results.get(c.id), failing.get(c.id, set()))) for c in suite.checks]
    stopped = verdict.status in (Status.HOLD, Status.REFUSE)
    return [Proof(suite.name, CLEAN, passed and stopped and bool(proofs)), *proofs]


def declared(module: ModuleType) -> Suite:
    """The suite with every check that it can ever declare."""
    if module is intake:
        return intake.suite(dropped=True)
    return disclosure.suite(made.FIELDS) if module is disclosure else module.suite()


def _inputs(module: ModuleType, batch: made.Batch) -> Any:
    return getattr(batch, module.NAME)()


def _poisoned(
    module: ModuleType,
    suite: Suite,
    ordinals: Mapping[str, int],
    clean: made.Batch,
    dirty: made.Batch,
    duck: DuckSettings | None,
) -> tuple[dict[str, str], dict[str, str], dict[str, set[str]]]:
    """The clean tables and the poisoned ones, as Parquet; by our own SQL, the marks of the rows that fail a check."""
    good: dict[str, str] = {}
    bad: dict[str, str] = {}
    failing: dict[str, set[str]] = {}
    for batch in (clean, dirty):
        tables = module.tables(_inputs(module, batch))
        if batch is dirty:  # only what the poisoned rows lead to is worked out again
            last = max((n for n, name in enumerate(tables) if name in _FROM_STAGE), default=-1)
            tables = dict(list(tables.items())[: last + 1])
        with session(duck) as connection:
            prepare(connection, suite.setup, tables, batch.folder)
            for table in dict.fromkeys(c.table for c in suite.checks if c.table in tables):
                if batch is clean:
                    good[table] = _copy(connection, table, batch.folder)
                if (table in _FROM_STAGE) == (batch is dirty):
                    own = [c for c in suite.checks if c.table == table]
                    failing |= _poison(connection, table, own, ordinals)
                    bad[table] = _copy(connection, f"{table}!", batch.folder)
    return good, bad, failing


def _copy(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> str:
    path = quote(str(folder / f"table-{table.removesuffix('!')}.{'bad' if table.endswith('!') else 'good'}.parquet"))
    connection.execute(f'COPY (FROM "{table}") TO {path} (FORMAT parquet)')
    return f"read_parquet({path})"


def _poison(
    connection: duckdb.DuckDBPyConnection, table: str, checks: Sequence[Check], ordinals: Mapping[str, int]
) -> dict[str, set[str]]:
    """Makes the table `{table}!`: a clean row, a poisoned row a check, and the all-null row, each with its mark."""
    connection.execute(f'CREATE TABLE "{table}!" AS SELECT {quote(CLEAN)} AS _poison, * FROM "{table}" LIMIT 0')
    _clean_row(connection, table, CLEAN)
    for check in checks:
        _poisoned_row(connection, check, ordinals)
    connection.execute(f'INSERT INTO "{table}!" (_poison) VALUES ({quote(NULL)})')
    return {check.id: _failing(connection, check) for check in checks if check.kind in _ON_ROWS}


def _clean_row(connection: duckdb.DuckDBPyConnection, table: str, mark: str) -> None:
    names = [row[0] for row in connection.execute(f'DESCRIBE "{table}"').fetchall()]
    place = "ORDER BY abs(ordinal - 0.1)" if "ordinal" in names else ""
    connection.execute(f'INSERT INTO "{table}!" SELECT {quote(mark)}, * FROM "{table}" {place} LIMIT 1')


def _poisoned_row(connection: duckdb.DuckDBPyConnection, check: Check, ordinals: Mapping[str, int]) -> None:
    table, changes = check.table, dict(check.poison)
    if check.id in ordinals:
        where = f"WHERE ordinal = {ordinals[check.id]}"
        connection.execute(f'INSERT INTO "{table}!" SELECT {quote(check.id)}, * FROM "{table}" {where}')
        changes = {k: v for k, v in changes.items() if k not in RAW_NAMES}
    else:
        _clean_row(connection, table, check.id)
    if check.kind is Kind.IN_SET:
        changes = {check.arguments["column"]: "no such value"}
    for column, value in changes.items():
        connection.execute(f'UPDATE "{table}!" SET "{column}" = ? WHERE _poison = ?', [value, check.id])


def _failing(connection: duckdb.DuckDBPyConnection, check: Check) -> set[str]:
    predicate = check.arguments["predicate"]
    rows = connection.execute(f'SELECT _poison FROM "{check.table}!" WHERE NOT coalesce(({predicate}), false)')
    return {row[0] for row in rows.fetchall()}


def _proven(check: Check, result: Result | None, failing: set[str]) -> bool:
    """The check was evaluated and failed; a rule failed on its poison and on the all-null row, not on the clean one."""
    if result is None or result.ok is not False:
        return False
    if check.kind not in _ON_ROWS:
        return True
    return {check.id, NULL} <= failing and CLEAN not in failing and result.failed == len(failing)
