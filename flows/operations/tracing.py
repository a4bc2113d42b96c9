"""Traces: a span for each run of a batch, and in it one for each stage and checkpoint."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from flows.home.tree import Home
from flows.operations.observer import Did, Observer, Place
from flows.operations.telemetry import SCOPE, leave, tracer_provider

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_PROVIDERS: dict[str, TracerProvider] = {}  # one a home: runs of one process share its thread


def _provider(home: Home) -> TracerProvider:
    key = str(home.root)
    if key not in _PROVIDERS:
        _PROVIDERS[key] = tracer_provider(home)
        atexit.register(leave, _PROVIDERS[key].force_flush)
    return _PROVIDERS[key]


class Spans(Observer):
    """The spans of one run."""

    def __init__(self, home: Home) -> None:
        self._tracer = _provider(home).get_tracer(SCOPE)
        self._run: Span | None = None

    def begins(self, at: Place) -> None:
        self._run = self._tracer.start_span("batch", attributes=_ids(at) | {"sluicegate.rows": at.record.rows})

    def did(self, at: Place, what: Did) -> None:
        assert self._run is not None
        span = self._tracer.start_span(
            what.step.value,
            context=trace.set_span_in_context(self._run),
            start_time=what.began,
            attributes=_ids(at) | {"sluicegate.step": what.step.value},
        )
        if what.verdict is not None:
            found = what.verdict
            span.set_attributes(
                {
                    "sluicegate.verdict": found.status.value,
                    "sluicegate.rows": found.rows,
                    "sluicegate.checks": found.declared,
                    "sluicegate.checks.failed": len(found.failed),
                    "sluicegate.codes": found.codes,
                }
            )
        _mark(span, what.error)
        span.end(what.ended)

    def ends(self, at: Place, error: str | None) -> None:
        assert self._run is not None
        self._run.set_attributes({**_ids(at), "sluicegate.codes": at.record.codes})
        _mark(self._run, error)
        self._run.end()


def _ids(at: Place) -> dict[str, str | int]:
    return {
        "sluicegate.batch": at.record.name,
        "sluicegate.agreement": at.record.agreement,
        "sluicegate.state": at.record.state.value,
        "sluicegate.event": at.event,
    }


def _mark(span: Span, error: str | None) -> None:
    """What failed, by its code: an exception's text may quote a value."""
    if error is not None:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR, error))
