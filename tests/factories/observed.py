"""What observers of a run were sent, decoded; and homes that name receivers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from flows.home.observing import Lineage, Log, Telemetry
from flows.home.tree import Home
from tests.factories.receiver import Receiver


def observing(home: Home, otlp: object = None, lineage: object = None, form: str = "text") -> Home:
    """The home with these receivers, each written as in sluicegate.toml."""
    chosen = {
        "telemetry": Telemetry.model_validate({"otlp": otlp}),
        "lineage": Lineage.model_validate({"url": lineage}),
        "log": Log.model_validate({"format": form}),
    }
    return replace(home, config=home.config.model_copy(update=chosen))


def spans(got: Receiver) -> list[Span]:
    """In the order in which they ended."""
    bodies = [ExportTraceServiceRequest.FromString(body) for path, body in got.raw if path == "/v1/traces"]
    return [s for body in bodies for r in body.resource_spans for scope in r.scope_spans for s in scope.spans]


def metrics(got: Receiver) -> dict[str, Metric]:
    """By name, the newest of each."""
    bodies = [ExportMetricsServiceRequest.FromString(body) for path, body in got.raw if path == "/v1/metrics"]
    found = [m for body in bodies for r in body.resource_metrics for scope in r.scope_metrics for m in scope.metrics]
    return {one.name: one for one in found}


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: _value(one) for one in of.attributes}


def _value(one: KeyValue) -> Any:
    kind = one.value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(value) for value in one.value.array_value.values]
    return _plain(one.value)


def _plain(value: AnyValue) -> Any:
    return getattr(value, str(value.WhichOneof("value")))


def lineage(got: Receiver) -> list[dict[str, Any]]:
    """OpenLineage's run events, in the order in which they came."""
    return [json.loads(body) for path, body in got.raw if path == "/api/v1/lineage"]
