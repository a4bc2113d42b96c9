"""Run events of batches and of their steps, sent to the receiver that the home names.

They are made and sent by a thread of their own, in order. What a receiver does not take is dropped, and nothing waits
for it but the end of the process, for two seconds at most.
"""

import atexit
import queue
import threading
import time
from contextlib import suppress
from uuid import uuid4

from expectations.gx.verdict import Status
from flows.home.secret import Secret
from flows.home.tree import Home
from flows.ledger.lifecycles.states import State
from flows.operations import logs
from flows.operations.lineage.told import Told
from flows.operations.observer import Did, Observer, Place
from flows.operations.telemetry import LEAVE, PATIENCE, address

_HELD_BACK = 1_000  # events that wait to be sent; more are dropped


class RunEvents(Observer):
    """The events of one run."""

    def __init__(self, home: Home) -> None:
        self._sender = _sender(home)
        self._run = str(uuid4())

    def begins(self, at: Place) -> None:
        self._sender.put(Told(self._run, None, "START", time.time_ns(), at))

    def did(self, at: Place, what: Did) -> None:
        failed = what.error is not None or (what.verdict is not None and what.verdict.status is not Status.PASS)
        step = str(uuid4())
        self._sender.put(Told(step, self._run, "START", what.began, at, what))
        self._sender.put(Told(step, self._run, "FAIL" if failed else "COMPLETE", what.ended, at, what, what.error))

    def ends(self, at: Place, error: str | None) -> None:
        released = error is None and at.record.state is State.PUBLISHED
        self._sender.put(Told(self._run, None, "COMPLETE" if released else "FAIL", time.time_ns(), at, error=error))


class _Sender:
    """Sends what it is given, one after the other, by a thread that ends with the process."""

    def __init__(self, url: str, token: str, namespace: str) -> None:
        logs.hush()
        self._receiver = (url, token)
        self._namespace = namespace
        self._waiting: queue.Queue[Told] = queue.Queue(_HELD_BACK)
        threading.Thread(target=self._send, name="lineage", daemon=True).start()

    def put(self, told: Told) -> None:
        with suppress(queue.Full):
            self._waiting.put_nowait(told)

    def _send(self) -> None:
        from flows.operations.lineage import events  # late, and here: its library takes a second to import

        transport = events.transport(*self._receiver, PATIENCE)
        while True:
            told = self._waiting.get()
            with suppress(Exception):  # whatever a receiver does, no batch fails of it
                transport.emit(events.event(told, self._namespace))
            self._waiting.task_done()

    def flush(self) -> None:
        """Waits until all is sent, but not for long."""
        end = time.monotonic() + LEAVE
        while self._waiting.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.02)


_SENDERS: dict[str, _Sender] = {}  # one a home


def _sender(home: Home) -> _Sender:
    key, said = str(home.root), home.config.lineage
    if key not in _SENDERS:
        url = address(said.url or Secret(), "lineage.url")
        token = said.token.read("lineage.token") if said.token else ""
        _SENDERS[key] = _Sender(url, token, said.namespace)
        atexit.register(_SENDERS[key].flush)
    return _SENDERS[key]
