"""What declared checks are in terms of GX: a data source, and suites of expectations on the tables of it.

Great Expectations is imported late, because that takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, assert_never

from expectations.gx.checks import Check, Kind

FORMAT = "BASIC"  # of a checkpoint's results; the expectations on rows ask for less (`portable.custom`)
# Kinds that name their table themselves, so that they can be evaluated with the batch of another.
_TRAVELS = (Kind.RULE, Kind.SHARE)


def placed(checks: Mapping[str, Sequence[Check]]) -> dict[str, list[Check]]:
    """The same checks by the table of the batch that they are evaluated with: rules with the first one's, whatever
    table they look at. Each batch costs GX as much as many rules."""
    first = next(iter(checks), "")
    found: dict[str, list[Check]] = {}
    for table, own in checks.items():
        for check in own:
            found.setdefault(first if check.kind in _TRAVELS else table, []).append(check)
    return found


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


def batch(source: Any, table: str) -> Any:
    """The GX BatchDefinition of a table that the source was made with."""
    return source.get_asset(table).get_batch_definition(table)


def suite(name: str, table: str, expectations: Sequence[Any]) -> Any:
    """The GX ExpectationSuite that a checkpoint evaluates with the batch of `table`; called as its ValidationDefinition
    is."""
    from great_expectations import ExpectationSuite

    # Given at once: added one by one, each is compared with all before it. The verdict misses one that GX drops.
    return ExpectationSuite(name=f"{name}.{table}", expectations=list(expectations))


def expectations(check: Check, batch: str) -> list[Any]:
    """What one check is in terms of GX, evaluated with the batch of the table `batch`. A check may need two: GX leaves
    nulls out of its tests of values."""
    from great_expectations import expectations as gxe

    from expectations.gx.portable import custom

    # GX's own metadata of a result: it comes back with it, and is what a reader of Data Docs sees
    meta = {"check": check.id, "table": check.table, "code": check.code, "source": check.source}
    given: dict[str, Any] = {"meta": meta, "severity": check.severity}
    a = check.arguments
    match check.kind:
        case Kind.RULE | Kind.SHARE:
            elsewhere = None if check.table == batch else check.table
            declared = {"rule": check.id, "predicate": a["predicate"], "table": elsewhere, **given}
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
