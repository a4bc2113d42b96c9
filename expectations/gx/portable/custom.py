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

# What GX is asked to compute: with any other format it fetches failing values too, whether they are kept or not.
_COMPUTED = {"result_format": "BOOLEAN_ONLY"}
# What is kept of `_validate`: with BOOLEAN_ONLY the counts would be thrown away.
_KEPT = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}


class _CountsOnly:
    """Of an expectation on rows, only how many rows were looked at and how many failed is computed and kept."""

    def get_validation_dependencies(self, execution_engine: Any = None, runtime_configuration: Any = None) -> Any:
        needed = super().get_validation_dependencies(execution_engine, dict(_COMPUTED))  # type: ignore[misc]
        needed.result_format = _KEPT
        return needed

    @property
    def _counted(self) -> str:
        """The metric that counts the rows that failed."""
        return f"{self.map_metric}.unexpected_count"  # type: ignore[attr-defined]

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        rows, failed = metrics.get("table.row_count"), metrics.get(self._counted)
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
    counts all rules of a table in one query. Its map metrics of several columns cost one query each. A rule that raises
    hinders all rules of its table: none of them passes."""

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
    mostly: Literal[1] = 1

    success_keys: ClassVar[tuple[str, ...]] = ("predicate", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("predicate",)

    @property
    def _counted(self) -> str:
        return RuleMetric.metric_name

    def get_validation_dependencies(self, execution_engine: Any = None, runtime_configuration: Any = None) -> Any:
        """The two metrics that are read. GX works each of their arguments out by configuring the expectation anew: with
        hundreds of rules that was a sixth of a small batch's time."""
        table = {"batch_id": self.batch_id, "table": None, "row_condition": None, "condition_parser": None}
        metrics = {
            self._counted: MetricConfiguration(self._counted, table, {"predicate": self.predicate}),
            "table.row_count": MetricConfiguration("table.row_count", table, {}),
        }
        return ValidationDependencies(metric_configurations=metrics, result_format=_KEPT)

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(cls, configuration: Any = None, result: Any = None, **_: Any) -> list[Any]:
        """How Data Docs show it: the rule's id, its predicate, and the source of law."""
        declared = configuration or result.expectation_config
        shown = {**declared.kwargs, **declared.meta}
        shown["share"] = f"{declared.kwargs.get('mostly', 1):.0%} of the rows"
        template = {"template": "$rule: $share must meet $predicate ($code; $source)", "params": shown}
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


class ExpectUnique(_CountsOnly, gxe.ExpectColumnValuesToBeUnique):
    """No value twice. Nulls are left out by GX: always stands beside ExpectPresent."""


class ExpectInSet(_CountsOnly, gxe.ExpectColumnValuesToBeInSet):
    """Every value is of the closed list. Nulls are left out by GX: stands beside ExpectPresent, unless they may be."""


class ExpectPresent(_CountsOnly, gxe.ExpectColumnValuesToNotBeNull):
    """No value is null."""
