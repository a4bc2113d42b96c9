"""A checkpoint: runs a suite on what a stage committed, and gives a verdict.

PASS only if every declared check was evaluated and met, on the number of rows that the manifest says, more than zero.
Anything else stops the flow: an empty suite, an empty table, a missing column, a rule that raised are never PASS.
Great Expectations does the checking; it is imported late, because that takes seconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.base.duck import FEW, DuckSettings, session
from expectations.gx.checks import LOOKS_AT_ROWS, Check, Suite, row_count
from expectations.gx.evaluate import evaluate
from expectations.gx.tables import Tables, prepare
from expectations.gx.verdict import Result, Status, Verdict
from expectations.rules.rule import REFUSES, Disposition

if TYPE_CHECKING:
    from expectations.gx.portable.decide import Finding


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


def _result(check: Check, findings: list[Finding], broken: str | None) -> Result:
    from expectations.gx.portable import decide

    ended = decide.ended(findings, LOOKS_AT_ROWS[check.kind], broken)
    said = check.code, check.source, str(check.disposition)
    return Result(check.id, check.table, ended.ok, ended.rows, ended.failed, *said, ended.error, check.informs)


def _status(suite: Suite, results: Sequence[Result], rows: int) -> Status:
    from expectations.gx.portable import decide

    judged = [decide.Judged(r.ok, r.error, REFUSES[Disposition(r.disposition)], r.informs) for r in results]
    return Status(decide.status(judged if suite.checks else [], rows))
