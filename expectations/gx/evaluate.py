"""Runs declared checks on tables of a DuckDB session through Great Expectations, and gives back counts.

What comes out holds check ids, counts and names of types; never a value, a query or the text of an exception, which may
quote values.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.gx import declare
from expectations.gx.checks import Check

if TYPE_CHECKING:
    from expectations.gx.portable.decide import Finding


_ONE_AT_A_TIME = Lock()


@contextmanager
def quiet_gx() -> Iterator[None]:
    """GX logs the text of database errors, and these quote values: its loggers are shut while it runs."""
    loggers = [logging.getLogger(n) for n in ("great_expectations", "sqlalchemy")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def library() -> Any:
    """Great Expectations, imported when it is first needed (seconds), without telemetry."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before the import: it is read there
    import great_expectations

    return great_expectations


def evaluate(
    connection: duckdb.DuckDBPyConnection, suite: str, checks: Mapping[str, Sequence[Check]], rows: int
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Findings of `checks` (table of the session → its checks), and GX's own results, reduced to counts.

    Runs them as a GX Checkpoint in a context of its own: batches that run at the same time share nothing, and wait for
    each other within a process, since GX keeps the newest context for whoever asks. Raises nothing about values: an
    exception of GX becomes a Finding with its type's name for each check that it hindered.
    """
    from expectations.gx import dialect

    given = [check for own in checks.values() for check in own]
    if not given:
        return [], []
    with _ONE_AT_A_TIME, quiet_gx(), dialect.url(connection) as url:
        try:
            return _run(url, suite, declare.placed(checks), {check.id: check.said for check in given}, rows)
        except Exception as error:
            return [_hindered(check, error) for check in given], []


def _hindered(check: Check, error: Exception) -> Finding:
    from expectations.gx.portable.decide import Finding

    return Finding(check.id, False, None, None, type(error).__name__)


def _run(
    url: str, name: str, checks: Mapping[str, Sequence[Check]], said: dict[str, dict[str, Any]], rows: int
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Makes the Checkpoint, runs it, and forgets it. `checks`: as `declare.placed` gives them."""
    library()
    from expectations.gx.portable.decide import Decide
    from expectations.gx.unstored import UnstoredCheckpoint, UnstoredDefinition, context

    source = declare.add_source(context(), name, url, checks)
    hindered: list[Finding] = []
    definitions = []
    for table, own in checks.items():
        made = []
        for check in own:
            try:
                made += declare.expectations(check, table)
            except Exception as error:
                hindered.append(_hindered(check, error))
        suite = declare.suite(name, table, made)
        batch = declare.batch(source, table)
        definitions.append(UnstoredDefinition(name=suite.name, data=batch, suite=suite))
    decide = Decide(name="verdict", declared=said, rows=rows)
    checkpoint = UnstoredCheckpoint(
        name=name, validation_definitions=definitions, actions=[decide], result_format=declare.FORMAT
    )
    ran = checkpoint.run()
    return [*hindered, *checkpoint.actions[0].findings], [reduced(result) for result in ran.run_results.values()]


def reduced(result: Any) -> dict[str, Any]:
    """GX's validation result as JSON, with counts only: what Data Docs are rendered from. GX's own way there copies all
    of it several times."""
    meta = result.meta
    return {
        "success": result.success,
        "suite_name": result.suite_name,
        "suite_parameters": {},
        "statistics": dict(result.statistics),
        "results": [_one(one) for one in result.results],
        "meta": {
            "run_id": meta["run_id"].to_json_dict(),
            "great_expectations_version": meta["great_expectations_version"],
            "validation_time": meta["validation_time"].isoformat(),
        },
        "id": None,
    }


def _one(result: Any) -> dict[str, Any]:
    """The result of one expectation; what it was given is of our own making, and JSON can hold it."""
    from expectations.gx.portable.decide import raised

    given, found = result.expectation_config, result.result or {}
    kept = {k: found[k] for k in ("element_count", "unexpected_count") if k in found}
    if isinstance(found.get("observed_value"), int):
        kept["observed_value"] = found["observed_value"]
    told = {"type": given.type, "kwargs": given.kwargs, "meta": given.meta, "severity": given.severity.value}
    error = {"raised_exception": raised(result.exception_info) is not None}
    return {
        "success": result.success,
        "expectation_config": told,
        "result": kept,
        "meta": {},
        "exception_info": {**error, "exception_message": None, "exception_traceback": None},
    }
