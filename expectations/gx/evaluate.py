"""Runs declared checks on tables of a DuckDB session through Great Expectations, and gives back counts.

What comes out holds check ids, counts and names of types; never a value, a query or the text of an exception, which may
quote values.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, assert_never

import duckdb

from expectations.gx.checks import Check, Kind

if TYPE_CHECKING:
    from expectations.gx.portable.decide import Finding


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
    return without_bars(library().get_context(mode="ephemeral"))


def without_bars(context: Any) -> Any:
    """The same context, which shows no progress bars."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def evaluate(
    connection: duckdb.DuckDBPyConnection, suite: str, checks: Mapping[str, Sequence[Check]], rows: int
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Findings of `checks` (table of the session → its checks), and GX's own result for each table, reduced to counts.

    Runs them as a GX Checkpoint of one ValidationDefinition for each table, in a context of its own: batches that run
    at the same time share nothing. Raises nothing about values: an exception of GX becomes a Finding with its type's
    name for each check that it hindered.
    """
    from expectations.gx import dialect
    from expectations.gx.portable.decide import Decide, Finding

    failed: list[Finding] = []
    with quiet_gx(), dialect.url(connection) as url:
        context = _context()
        try:
            source = add_source(context, suite, url, checks)
        except Exception as error:
            return [Finding(c.id, False, None, None, type(error).__name__) for own in checks.values() for c in own], []
        definitions = {}
        for table, own in checks.items():
            try:
                definitions[table] = define(context, source, suite, table, own)
            except Exception as error:
                failed += [Finding(c.id, False, None, None, type(error).__name__) for c in own]
        declared = {check.id: check.said for own in checks.values() for check in own}
        decide = Decide(name="verdict", declared=declared, rows=rows)
        try:
            checkpoint = add_checkpoint(context, suite, definitions.values(), decide)
            ran = checkpoint.run()
        except Exception as error:
            lost = [c.id for table in definitions for c in checks[table]]
            return [*failed, *(Finding(id, False, None, None, type(error).__name__) for id in lost)], []
        return [*failed, *checkpoint.actions[0].findings], [reduced(result) for result in ran.run_results.values()]


def add_source(context: Any, suite: str, url: str, tables: Iterable[str]) -> Any:
    """A GX data source with these tables, each with its batch: given at once, for each of them that is added by itself
    GX writes its whole configuration anew."""
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.datasource.fluent.sql_datasource import TableAsset

    # A table, not a query: to learn the columns of a query GX runs it whole, and every row would come into Python.
    assets = [
        TableAsset(
            name=table,
            type="table",
            table_name=table,
            batch_definitions=[BatchDefinition(name=table, partitioner=None)],
        )
        for table in tables
    ]
    return context.data_sources.add_sql(suite, connection_string=url, create_temp_table=False, assets=assets)


def add_checkpoint(context: Any, suite: str, definitions: Iterable[Any], decide: Any) -> Any:
    """A GX Checkpoint of these ValidationDefinitions, whose action gives the verdict."""
    from great_expectations.checkpoint import Checkpoint

    made = Checkpoint(name=suite, validation_definitions=list(definitions), actions=[decide], result_format="BASIC")
    return context.checkpoints.add(made)


def define(context: Any, source: Any, suite: str, table: str, checks: Sequence[Check]) -> Any:
    """A GX ValidationDefinition: the checks of one table of a suite."""
    batch = source.get_asset(table).get_batch_definition(table)
    # Given at once: added one by one, each is compared with all before it. The checkpoint misses one that GX drops.
    expectations = [expectation for check in checks for expectation in _expectations(check)]
    name = f"{suite}.{table}"
    declared = context.suites.add(library().ExpectationSuite(name=name, expectations=expectations))
    return context.validation_definitions.add(library().ValidationDefinition(name=name, data=batch, suite=declared))


def _expectations(check: Check) -> list[Any]:
    """What one check is in terms of GX. A check may need two: GX leaves nulls out of its tests of values."""
    from great_expectations import expectations as gxe

    from expectations.gx.portable import custom

    # GX's own metadata of a result: it comes back with it, and is what a reader of Data Docs sees
    meta = {"check": check.id, "code": check.code, "source": check.source}
    given: dict[str, Any] = {"meta": meta, "severity": check.severity}
    a = check.arguments
    match check.kind:
        case Kind.RULE | Kind.SHARE:
            declared = {"rule": check.id, "predicate": a["predicate"], **given}
            if check.kind is Kind.RULE:
                return [custom.ExpectRowsToMeetRule(**declared)]
            return [custom.ExpectMostRowsToMeetRule(**declared, mostly=a["mostly"])]
        case Kind.ROWS:
            return [gxe.ExpectTableRowCountToEqual(value=a["rows"], **given)]
        case Kind.COLUMNS:
            return [gxe.ExpectTableColumnsToMatchSet(column_set=list(a["columns"]), exact_match=True, **given)]
        case Kind.UNIQUE:
            unique = custom.ExpectUnique(column=a["column"], **given)
            return [unique, custom.ExpectPresent(column=a["column"], **given)]
        case Kind.IN_SET:
            found: list[Any] = [custom.ExpectInSet(column=a["column"], value_set=list(a["values"]), **given)]
            return found if a["null"] else [*found, custom.ExpectPresent(column=a["column"], **given)]
        case _:
            assert_never(check.kind)


def reduced(result: Any) -> dict[str, Any]:
    """GX's validation result as JSON, with counts only: what Data Docs are rendered from."""
    from expectations.gx.portable.decide import raised

    body: dict[str, Any] = result.to_json_dict()
    for one in body["results"]:
        found = one.get("result") or {}
        kept = {k: found[k] for k in ("element_count", "unexpected_count") if k in found}
        if isinstance(found.get("observed_value"), int):
            kept["observed_value"] = found["observed_value"]
        one["result"] = kept
        one["exception_info"] = {
            "raised_exception": raised(one.get("exception_info")) is not None,
            "exception_message": None,
            "exception_traceback": None,
        }
    told = ("run_id", "great_expectations_version", "validation_time")
    body["meta"] = {k: body["meta"][k] for k in told if k in body["meta"]}
    return body
