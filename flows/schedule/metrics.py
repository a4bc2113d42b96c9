"""What is measured at the moment in which somebody asks: the ledger's new events, what waits, the last night, the parts
of the service. `serve` answers Prometheus on this machine, and sends over OTLP where that is chosen."""

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from expectations.base.errors import DONE, Usage
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import FINAL, State
from flows.ledger.timing import newest_time
from flows.operations.counted import Counted
from flows.operations.instruments import Metric, Point
from flows.schedule import summary as summaries
from flows.schedule.running import running
from flows.schedule.things import Kind, Waits
from flows.schedule.waiting import looked

METRICS = "metrics"  # this part of the service: it runs whenever somebody is answered
PORT = 9464  # which OpenTelemetry gives to exporters for Prometheus


class Looks:
    """One look after the other at a home: counters get what is new since the one before."""

    def __init__(self, home: Home) -> None:
        self.home, self._counted, self._after = home, Counted(), 0

    def look(self) -> Iterator[Point]:
        """Everything now. What cannot be read is no number: then `readable` is 0."""
        try:
            if not self._after:
                yield from self._counted.zeros()
            yield from self._events()
            yield from _now(self.home)
        except Exception:  # whatever it is: a look stops no other, and says no more than that it failed
            yield Point(Metric.READABLE, 0)
        else:
            yield Point(Metric.READABLE, 1)

    def _events(self) -> Iterator[Point]:
        with Ledger.open(self.home.ledger_url, self.home.clock()) as ledger:
            for event in ledger.links(self._after):
                self._after = event.seq
                yield from self._counted.points(event)
            states = ledger.states()
            with ledger.reading() as session:
                newest = newest_time(session)
        yield Point(Metric.LEDGER_EVENTS, self._after)
        if newest:
            yield Point(Metric.LEDGER_NEWEST, newest.timestamp())
        for state in State:
            if state not in FINAL:
                yield Point(Metric.OPEN, states[state], (state,))


def _now(home: Home) -> Iterator[Point]:
    yield from _waiting(*looked(home))
    yield Point(Metric.HOME_FREE, shutil.disk_usage(home.root).free)
    night = summaries.newest(home)
    if night is not None:
        yield Point(Metric.NIGHT_BEGAN, datetime.fromisoformat(night["at"]).timestamp())
        yield Point(Metric.NIGHT_EXIT, summaries.exit_code(night))
    for part, lives in {**{one.name: one.lives for one in running(home)}, METRICS: True}.items():
        yield Point(Metric.SERVICE_UP, float(lives), (part,))


def _waiting(now: datetime, found: list[Waits]) -> Iterator[Point]:
    for kind in Kind:
        of_kind = [one for one in found if one.kind is kind]
        ages = [max(0.0, (now - one.since).total_seconds()) for one in of_kind if one.since]
        left = [(one.until - now).total_seconds() for one in of_kind if one.until]
        yield Point(Metric.WAITING, len(of_kind), (kind,))
        yield Point(Metric.WAITING_AGE, max(ages, default=0), (kind,))
        if left:
            yield Point(Metric.WAITING_DEADLINE, min(left), (kind,))


def serve(home: Home, port: int) -> int:
    """Serves `/metrics` on this machine until SIGINT or SIGTERM. Returns the exit code; raises Usage if the port is
    taken."""
    from prometheus_client import CollectorRegistry, generate_latest, start_http_server

    from flows.operations.telemetry import leave, meter_provider

    registry, stop = CollectorRegistry(), threading.Event()
    provider = meter_provider(home, Looks(home).look, registry)
    with suppress(Exception):  # the ledger from its beginning, which may take longer than whoever asks would wait
        generate_latest(registry)
    try:
        server, thread = start_http_server(port, "127.0.0.1", registry)
    except OSError:
        remedy = "Name another: --port, or prometheus_port in sluicegate.toml."
        raise Usage("PORT_TAKEN", f"port {port} of this machine is taken", where="--port", remedy=remedy) from None
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    print(f"http://127.0.0.1:{port}/metrics", flush=True)
    stop.wait()
    server.shutdown()
    server.server_close()
    thread.join()
    leave(provider.shutdown)
    return DONE
