"""Runs declared checks on tables of a DuckDB session through Great Expectations, and gives back counts.

What comes out holds check ids, counts and names of types; never a value, a query or the text of an exception, which may
quote values.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, assert_never

import duckdb

from expectations.gx.checks import Check, Kind


@dataclass(frozen=True)
class Finding:
    """What one GX expectation found. `error`: the name of an exception's type; then nothing was evaluated."""

    check: str
    success: bool
    rows: int | None
    failed: int | None
    error: str | None


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


def _context() -> Any:
    """A GX context of its own: in memory, without progress bars."""
    context = library().get_context(mode="ephemeral")
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def evaluate(
    connection: duckdb.DuckDBPyConnection, suite: str, checks: Mapping[str, Sequence[Check]]
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Findings of `checks` (table of the session → its checks), and GX's own result for each table, reduced to counts.

    Raises nothing about values: an exception of GX becomes a Finding with its type's name for each check of the table.
    """
    from expectations.gx import dialect

    findings: list[Finding] = []
    kept: list[dict[str, Any]] = []
    with quiet_gx(), dialect.url(connection) as url:
        source = _context().data_sources.add_sql(suite, connection_string=url, create_temp_table=False)
        for table, own in checks.items():
            try:
                result = _validate(source, suite, table, own)
                findings += [_finding(one) for one in result.results]
                kept.append(reduced(result))
            except Exception as error:
                findings += [Finding(c.id, False, None, None, type(error).__name__) for c in own]
    return findings, kept


def _validate(source: Any, suite: str, table: str, checks: Sequence[Check]) -> Any:
    # A table, not a query: to learn the columns of a query GX runs it whole, and every row would come into Python.
    asset = source.add_table_asset(table, table_name=table)
    batch = asset.add_batch_definition_whole_table(table).get_batch()
    # One column list for all rules of a table: GX then counts them in one query instead of one each.
    rules = (check for check in checks if check.kind is Kind.RULE)
    read = list(dict.fromkeys(column for rule in rules for column in rule.arguments["columns"]))
    # Given at once: added one by one, each is compared with all before it. The checkpoint misses one that GX drops.
    expectations = [expectation for check in checks for expectation in _expectations(check, read)]
    declared = library().ExpectationSuite(name=f"{suite}.{table}", expectations=expectations)
    return batch.validate(declared, result_format="BASIC")


def _expectations(check: Check, read: list[str]) -> list[Any]:
    """What one check is in terms of GX. A check may need two: GX leaves nulls out of its tests of values."""
    from great_expectations import expectations as gxe

    from expectations.gx import custom

    # GX's own metadata of a result: it comes back with it, and is what a reader of Data Docs sees
    meta = {"check": check.id, "code": check.code, "source": check.source}
    a = check.arguments
    match check.kind:
        case Kind.RULE:
            two = read if len(read) > 1 else read * 2  # GX wants a list of two at least
            return [custom.ExpectRowsToMeetRule(column_list=two, rule=check.id, predicate=a["predicate"], meta=meta)]
        case Kind.ROWS:
            return [gxe.ExpectTableRowCountToEqual(value=a["rows"], meta=meta)]
        case Kind.COLUMNS:
            return [gxe.ExpectTableColumnsToMatchSet(column_set=list(a["columns"]), exact_match=True, meta=meta)]
        case Kind.UNIQUE:
            unique = custom.ExpectUnique(column=a["column"], meta=meta)
            return [unique, custom.ExpectPresent(column=a["column"], meta=meta)]
        case Kind.IN_SET:
            found: list[Any] = [custom.ExpectInSet(column=a["column"], value_set=list(a["values"]), meta=meta)]
            return found if a["null"] else [*found, custom.ExpectPresent(column=a["column"], meta=meta)]
        case _:
            assert_never(check.kind)


def _finding(result: Any) -> Finding:
    check = result.expectation_config.meta["check"]
    error = _error(result.exception_info)
    counts = result.result or {}
    observed = counts.get("observed_value")
    rows = counts.get("element_count", observed if isinstance(observed, int) else None)
    return Finding(check, bool(result.success) and error is None, rows, counts.get("unexpected_count"), error)


def _error(info: dict[str, Any] | None) -> str | None:
    """The name of the exception's type, of GX's two shapes of exception_info; None if there was none."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    raised = [e for e in entries if isinstance(e, dict) and e.get("raised_exception")]
    return "NOT_EVALUATED" if raised else None


def reduced(result: Any) -> dict[str, Any]:
    """GX's validation result as JSON, with counts only: what Data Docs are rendered from."""
    body: dict[str, Any] = result.to_json_dict()
    for one in body["results"]:
        found = one.get("result") or {}
        kept = {k: found[k] for k in ("element_count", "unexpected_count") if k in found}
        if isinstance(found.get("observed_value"), int):
            kept["observed_value"] = found["observed_value"]
        one["result"] = kept
        one["exception_info"] = {
            "raised_exception": _error(one.get("exception_info")) is not None,
            "exception_message": None,
            "exception_traceback": None,
        }
    told = ("run_id", "great_expectations_version", "validation_time")
    body["meta"] = {k: body["meta"][k] for k in told if k in body["meta"]}
    return body
