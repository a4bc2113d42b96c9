"""Metrics for Prometheus and over OTLP: the same numbers, from one list; and nothing at all where none is chosen."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from expectations.base.errors import Usage
from flows.home.secret import Secret
from flows.home.tree import Home, make_tree
from flows.operations import telemetry
from flows.operations.instruments import INSTRUMENTS, Measure, Metric, Point
from tests.factories.observed import attributes, metrics, observing
from tests.factories.paths import ROOT
from tests.factories.receiver import receiver


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_tree(tmp_path / "home", {"sandbox": True})


def everything() -> Iterator[Point]:
    """A point of each metric."""
    for metric, instrument in INSTRUMENTS.items():
        yield Point(metric, 3, tuple(f"a {name}" for name in instrument.attributes))


def test_prometheus_reads_every_instrument_with_its_attributes(home: Home) -> None:
    registry = CollectorRegistry()
    provider = telemetry.meter_provider(home, everything, registry)
    families = {one.name: one for one in text_string_to_metric_families(generate_latest(registry).decode())}
    provider.shutdown()
    assert len(families) == len(INSTRUMENTS)
    for metric, instrument in INSTRUMENTS.items():
        unit = {"s": "_seconds", "By": "_bytes"}.get(instrument.unit, "")
        family = families[metric.value.replace(".", "_") + unit]
        assert (family.type, family.documentation) == (instrument.measure, instrument.description)
        assert all(set(sample.labels) - {"le"} == set(instrument.attributes) for sample in family.samples)
        if instrument.measure is Measure.HISTOGRAM:
            bounds = [float(s.labels["le"]) for s in family.samples if s.name.endswith("_bucket")]
            assert bounds == [*instrument.bounds, float("inf")]
        else:
            assert [sample.value for sample in family.samples] == [3]


def test_what_is_recorded_while_somebody_asks_is_in_the_answer(home: Home) -> None:
    registry, asked = CollectorRegistry(), [0]

    def look() -> Iterator[Point]:
        asked[0] += 1
        yield Point(Metric.TRIES, 2)
        yield Point(Metric.READABLE, 1)

    provider = telemetry.meter_provider(home, look, registry)
    for n in (1, 2, 3):
        assert f"sluicegate_tries_total {2.0 * n}" in generate_latest(registry).decode() and asked == [n]
    provider.shutdown()


def test_otlp_gets_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTLP_TOKEN", "a secret")
    with receiver() as got:
        named = observing(home, otlp=f"{got.url}/")
        chosen = named.config.telemetry.model_copy(update={"headers": {"Authorization": Secret(env="OTLP_TOKEN")}})
        named = Home(named.root, named.config.model_copy(update={"telemetry": chosen}))
        provider = telemetry.meter_provider(named, everything)
        assert provider.force_flush(5_000)
        provider.shutdown()
    found = metrics(got)
    assert found.keys() == {metric.value for metric in Metric} and got.headers["authorization"] == "a secret"
    for metric, instrument in INSTRUMENTS.items():
        one = found[metric.value]
        kind = {Measure.COUNTER: "sum"}.get(instrument.measure, instrument.measure.value)
        assert (one.WhichOneof("data"), one.unit, one.description) == (kind, instrument.unit, instrument.description)
        assert set(attributes(getattr(one, kind).data_points[0])) == set(instrument.attributes)


@pytest.mark.parametrize("said", ["127.0.0.1:4318", "ftp://s3cret", "http://", {"env": "NOWHERE"}])
def test_an_address_that_is_none_is_said_and_not_shown(home: Home, said: object) -> None:
    with pytest.raises(Usage) as error:
        telemetry.tracer_provider(observing(home, otlp=said))
    assert error.value.where == "telemetry.otlp" and "s3cret" not in f"{error.value!r}"


def test_a_receiver_that_does_not_answer_costs_no_time_and_is_not_logged(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(telemetry, "LEAVE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider = telemetry.tracer_provider(observing(home, otlp=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        began = time.monotonic()
        for _ in range(5_000):  # more than the queue holds
            provider.get_tracer("test").start_span("step").end()
        assert (sent := time.monotonic()) - began < 10  # nobody waits for the receiver
        telemetry.leave(provider.force_flush)
        assert time.monotonic() - sent < 5
    assert caplog.records == []


def test_nothing_is_imported_where_nothing_is_chosen() -> None:
    program = """
import sys
import flows.cli.main, flows.operations.observing, flows.schedule.metrics
wrong = [m for m in ("opentelemetry.sdk", "opentelemetry.exporter", "openlineage", "flows.operations.tracing",
  "flows.operations.lineage", "flows.operations.telemetry") if m in sys.modules]
print(wrong)"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
