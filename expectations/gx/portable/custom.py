"""The expectations that our suites are made of. Importing this module imports Great Expectations (seconds): do it late.

GX passes what it did not look at in several ways: rows that are null in all columns, tables without rows, shares waived
with `mostly`. `ExpectRowsToMeetRule` leaves none of them open. GX also keeps failing values by default: what is used
here asks for counts only, and returns counts only.
"""

from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from great_expectations import expectations as gxe
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.render import LegacyDiagnosticRendererType, LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

# What is kept of `_validate`: with BOOLEAN_ONLY the counts would be thrown away.
_KEPT = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}


class _CountsOnly:
    """Of an expectation on rows, only how many rows were looked at and how many failed is computed and kept."""

    batch_id: str | None

    @property
    def _counted(self) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """The metric that counts the rows that failed, what it looks at, and what that has to be."""
        raise NotImplementedError

    def get_validation_dependencies(self, execution_engine: Any = None, runtime_configuration: Any = None) -> Any:
        """The two metrics that are read. GX itself asks for more, and works each of their arguments out by configuring
        the expectation anew: with hundreds of rules that was a sixth of a small batch's time."""
        name, looked_at, wanted = self._counted
        rows = {key: value for key, value in looked_at.items() if key != "column"}
        metrics = {
            name: MetricConfiguration(name, looked_at, wanted),
            "table.row_count": MetricConfiguration("table.row_count", rows, {}),
        }
        return ValidationDependencies(metric_configurations=metrics, result_format=_KEPT)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        rows, failed = metrics.get("table.row_count"), metrics.get(self._counted[0])
        # No rows, or no count, is no success: the base class would call it vacuously true.
        good = bool(rows) and failed == 0
        return {"success": good, "result": {"element_count": rows, "unexpected_count": failed}}

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(cls, result: Any = None, **_: Any) -> str:
        """What Data Docs show beside it."""
        counts = result.result
        if counts.get("unexpected_count") is None:
            return "not evaluated"
        share = counts["unexpected_count"] / max(counts["element_count"], 1)
        return f"{counts['unexpected_count']:,} of {counts['element_count']:,} rows fail ({share:.1%})"


class RuleMetric(TableMetricProvider):
    """How many rows fail a rule: its predicate, closed against NULL. An aggregate, as `table.row_count` is one: GX
    counts all rules of a table in one query, and each by itself if one of them raises. Its map metrics of several
    columns cost one query each."""

    metric_name = "table.rows_failing_rule"
    value_keys = ("predicate",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,
        execution_engine: Any,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> Any:
        failing = f"count(*) FILTER (NOT coalesce(({metric_value_kwargs['predicate']}), false))"
        return sa.literal_column(failing), metric_domain_kwargs, {}


class ExpectRowsToMeetRule(_CountsOnly, BatchExpectation):
    """Every row meets the rule: no row is left out, no share is waived, NULL is a failure."""

    rule: str
    predicate: str
    table: str | None = None  # if it is not the batch's own: one batch serves the rules of several tables
    mostly: Literal[1] = 1

    success_keys: ClassVar[tuple[str, ...]] = ("predicate", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("predicate",)

    @property
    def _counted(self) -> tuple[str, dict[str, Any], dict[str, Any]]:
        # no more than is said: each time that GX looks a metric up it digests all of this
        looked_at = {"batch_id": self.batch_id, **({"table": self.table} if self.table else {})}
        return RuleMetric.metric_name, looked_at, {"predicate": self.predicate}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(cls, configuration: Any = None, result: Any = None, **_: Any) -> list[Any]:
        """How Data Docs show it: the rule's id, its predicate, and the source of law."""
        declared = configuration or result.expectation_config
        shown = {"table": "the table", **declared.kwargs, **declared.meta}
        shown["share"] = f"{declared.kwargs.get('mostly', 1):.0%} of the rows"
        template = {"template": "$rule: $share of $table must meet $predicate ($code; $source)", "params": shown}
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]


class ExpectMostRowsToMeetRule(ExpectRowsToMeetRule):
    """All rows but a share meet the rule: what a reader sees beside the strict gate, which decides. NULL does not."""

    mostly: float  # type: ignore[assignment]

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        whole = super()._validate(metrics, runtime_configuration, execution_engine)
        rows, failed = (whole["result"][name] for name in ("element_count", "unexpected_count"))
        met = bool(rows) and failed is not None and rows - failed >= self.mostly * rows
        return {**whole, "success": met}


class _ColumnCountsOnly(_CountsOnly):
    """The same, of an expectation on a column's values."""

    column: str
    map_metric: ClassVar[str]

    @property
    def _counted(self) -> tuple[str, dict[str, Any], dict[str, Any]]:
        # as GX's own expectations say it, so that they share what is known of the table
        table = {"batch_id": self.batch_id, "table": None, "row_condition": None, "condition_parser": None}
        return f"{self.map_metric}.unexpected_count", {**table, "column": self.column}, self._wanted

    @property
    def _wanted(self) -> dict[str, Any]:
        return {}


class ExpectUnique(_ColumnCountsOnly, gxe.ExpectColumnValuesToBeUnique):
    """No value twice. Nulls are left out by GX: always stands beside ExpectPresent."""


class ExpectInSet(_ColumnCountsOnly, gxe.ExpectColumnValuesToBeInSet):
    """Every value is of the closed list. Nulls are left out by GX: stands beside ExpectPresent, unless they may be."""

    @property
    def _wanted(self) -> dict[str, Any]:
        return {"value_set": self.value_set}


class ExpectPresent(_ColumnCountsOnly, gxe.ExpectColumnValuesToNotBeNull):
    """No value is null."""
