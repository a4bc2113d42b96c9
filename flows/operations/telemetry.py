"""OpenTelemetry, as `[telemetry]` chooses it: metrics for Prometheus and over OTLP, traces over OTLP.

Nothing of it is imported unless it is chosen. Providers are our own, not the process's: libraries that have telemetry
of their own (Prefect) send nothing through them. A receiver that does not answer costs no batch its time: exports have
threads of their own, and what cannot be sent is dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, assert_never
from urllib.parse import urlsplit

from expectations.base.errors import Usage
from flows.home.secret import Secret
from flows.home.tree import Home
from flows.operations import logs
from flows.operations.instruments import INSTRUMENTS, Instrument, Measure, Metric, Point

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from prometheus_client import CollectorRegistry

SCOPE = "sluicegate"
EVERY, PATIENCE = 30_000, 5.0  # milliseconds between exports of metrics; seconds that a receiver has to answer
LEAVE = 2.0  # seconds for what is left to send when a process ends


def address(said: Secret, what: str, path: str = "") -> str:
    """The address that a setting names, with a path; raises Usage, which does not show it."""
    url = said.read(what).rstrip("/")
    if not (url.startswith(("http://", "https://")) and urlsplit(url).hostname):
        remedy = "See infra/docs/observability.md."
        raise Usage("TELEMETRY_URL", "the address is no http or https URL", where=what, remedy=remedy)
    return f"{url}{path}"


def _otlp(home: Home, signal: str) -> dict[str, Any]:
    logs.hush()
    chosen = home.config.telemetry
    return {
        "endpoint": address(chosen.otlp or Secret(), "telemetry.otlp", f"/v1/{signal}"),
        "headers": {name: said.read("telemetry.headers") for name, said in chosen.headers.items()},
        "timeout": PATIENCE,
    }


def resource(more: Mapping[str, str] = MappingProxyType({})) -> Resource:
    """Who sends: this service in its version, and what else is said of it."""
    from opentelemetry.sdk.resources import Resource

    return Resource({"service.name": SCOPE, "service.version": version(SCOPE), **more})


def tracer_provider(home: Home) -> TracerProvider:
    """Sends spans over OTLP. Raises Usage if the address is none."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**_otlp(home, "traces"))))
    return provider


def meter_provider(
    home: Home, look: Callable[[], Iterable[Point]], registry: CollectorRegistry | None = None
) -> MeterProvider:
    """Metrics of what `look` gives, whenever somebody asks: Prometheus by `registry`, OTLP every half minute."""
    from opentelemetry.sdk.metrics import MeterProvider

    readers: list[MetricReader] = []
    if registry is not None:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader

        readers.append(PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=registry))
    if home.config.telemetry.otlp:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        exporter = OTLPMetricExporter(**_otlp(home, "metrics"))
        readers.append(PeriodicExportingMetricReader(exporter, EVERY, export_timeout_millis=PATIENCE * 1000))
    provider = MeterProvider(metric_readers=readers, resource=resource(), shutdown_on_exit=False)
    Meters(provider, look)
    return provider


def leave(flush: Callable[[], object]) -> None:
    """Lets what is left be sent as a process ends, for `LEAVE` seconds: the library's own limit is that of each try."""
    thread = threading.Thread(target=flush, name="telemetry", daemon=True)
    thread.start()
    thread.join(LEAVE)


class Meters:
    """The instruments of the list. The first of them is asked before all others: then everything is read, once."""

    def __init__(self, provider: MeterProvider, look: Callable[[], Iterable[Point]]) -> None:
        self._look, self._meter = look, provider.get_meter(SCOPE)
        self._record: dict[Metric, Callable[[float, dict[str, str]], None]] = {}
        self._gauges: list[Point] = []
        self._lock = threading.Lock()
        for metric, instrument in INSTRUMENTS.items():
            self._make(metric, instrument)

    def _make(self, metric: Metric, said: Instrument) -> None:
        shown = {"unit": said.unit, "description": said.description}
        match said.measure:
            case Measure.COUNTER:
                self._record[metric] = self._meter.create_counter(metric.value, **shown).add
            case Measure.HISTOGRAM:
                made = self._meter.create_histogram(
                    metric.value, **shown, explicit_bucket_boundaries_advisory=list(said.bounds)
                )
                self._record[metric] = made.record
            case Measure.GAUGE:

                def observe(_: CallbackOptions) -> Iterator[Observation]:
                    yield from self._observed(metric)

                self._meter.create_observable_gauge(metric.value, callbacks=[observe], **shown)
            case _:
                assert_never(said.measure)

    def _observed(self, metric: Metric) -> Iterator[Observation]:
        from opentelemetry.metrics import Observation

        if metric is Metric.READABLE:
            self._read()
        for point in self._gauges:
            if point.metric is metric:
                yield Observation(point.value, point.named)

    def _read(self) -> None:
        with self._lock:
            gauges = []
            for point in self._look():
                if point.metric in self._record:
                    self._record[point.metric](point.value, point.named)
                else:
                    gauges.append(point)
            self._gauges = gauges
