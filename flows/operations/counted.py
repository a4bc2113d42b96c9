"""Counts and times of batches, from the ledger's events.

A batch is run by a process that ends with it. What it counted itself would be lost, or would need a gateway to push to;
the ledger has it all, whoever ran the batch and on whichever machine. Counters that are made of it go on after a
restart where they stood.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

from expectations.contracts.lists import Outcome
from expectations.gx.verdict import Status
from flows.batch.plan import STAGE_OF
from flows.batch.tries import CODES as OF_TRIES
from flows.ledger.chain import Link
from flows.ledger.decisions import Decision
from flows.ledger.events import Kind
from flows.ledger.facts import View
from flows.ledger.lifecycles.states import FINAL, RUNS_IN, Checkpoint, State
from flows.operations.instruments import Metric, Point

Facts = Mapping[str, Any]
_STATES = frozenset(State)
_COUNTED = (State.RECEIVED, State.HELD, State.FAILED, *sorted(FINAL))
_CHECKPOINTS = {state: which for which, state in RUNS_IN.items()}


@dataclass
class _Batch:
    """What its events said so far; `ended`: it was held, failed or ended once."""

    agreement: str
    rows: int
    received: datetime
    ended: bool = False
    tried: int = 0
    accounted: Facts = field(default_factory=dict)


class Counted:
    """Measures events, in their order; holds what is needed of batches that have not ended."""

    def __init__(self) -> None:
        self._open: dict[str, _Batch] = {}
        self._agreements: set[str] = set()

    @staticmethod
    def zeros() -> Iterator[Point]:
        """Where counters begin: Prometheus sees no increase in a series whose first value is 1."""
        for which, verdict in product(Checkpoint, Status):
            yield Point(Metric.VERDICTS, 0, (which, verdict))
        yield from (Point(Metric.CHECKPOINT_ROWS, 0, (which,)) for which in Checkpoint)
        yield from (Point(Metric.DECISIONS, 0, (decision,)) for decision in Decision)
        yield from (Point(Metric.VIEWS, 0, (what,)) for what in View)
        yield from (Point(Metric.TRIES_HELD, 0, (code,)) for code in OF_TRIES)
        yield Point(Metric.TRIES, 0)

    def points(self, event: Link) -> Iterator[Point]:
        """What an event adds; nothing of most."""
        facts, batch = json.loads(event.facts), event.batch or ""
        if event.kind in _STATES and "start" not in facts:
            yield from self._received(batch, event, facts)
        elif event.kind in _STATES:
            yield from self._moved(batch, event, facts)
        elif event.kind == Kind.ACCOUNTED and batch in self._open:
            self._open[batch].accounted = facts
        elif event.kind == Kind.TRIES and batch in self._open:
            yield from _tries(self._open[batch], facts["rows"])
        elif event.kind in _OTHERS:
            yield _OTHERS[event.kind](facts)

    def _received(self, batch: str, event: Link, facts: Facts) -> Iterator[Point]:
        one = _Batch(facts["agreement"], facts["rows"], datetime.fromisoformat(event.at))
        self._open[batch] = one
        if one.agreement not in self._agreements:
            self._agreements.add(one.agreement)
            yield from (Point(Metric.BATCHES, 0, (state, one.agreement)) for state in _COUNTED)
            yield from (Point(Metric.ROWS, 0, (outcome, one.agreement)) for outcome in Outcome)
        yield Point(Metric.BATCHES, 1, (event.kind, one.agreement))
        yield Point(Metric.BATCH_ROWS, one.rows)

    def _moved(self, batch: str, event: Link, facts: Facts) -> Iterator[Point]:
        one, state = self._open.get(batch), State(event.kind)
        yield from _judged(state, facts)
        if one is None or state not in _COUNTED[1:]:
            return
        yield Point(Metric.BATCHES, 1, (state, one.agreement))
        for code in facts.get("codes", ()):
            yield Point(Metric.BATCH_CODES, 1, (state, code))
        if not one.ended:
            one.ended, took = True, datetime.fromisoformat(event.at) - one.received
            yield Point(Metric.BATCH_DURATION, max(0.0, took.total_seconds()), (state,))
        if state in FINAL:
            yield from _rows(self._open.pop(batch), state)


def _judged(state: State, facts: Facts) -> Iterator[Point]:
    """The verdict of a checkpoint, and the times of its stage and its own, where the event tells of one."""
    which = _CHECKPOINTS.get(State(facts["start"]))
    if which is None or "declared" not in facts:
        return
    stopped = {State.REFUSED: Status.REFUSE, State.HELD: Status.HOLD if facts.get("codes") else Status.ERROR}
    yield Point(Metric.VERDICTS, 1, (which, stopped.get(state, Status.PASS)))
    yield Point(Metric.CHECKPOINT_ROWS, facts["rows"], (which,))
    # events of older versions do not have them
    for step, key in ((STAGE_OF[which], "stage_ms"), (which, "checkpoint_ms")):
        if facts.get(key) is not None:
            yield Point(Metric.STEP_DURATION, facts[key] / 1000, (step,))


def _tries(one: _Batch, rows: int) -> Iterator[Point]:
    """What is new: a stage that is done again tells of its tries again."""
    if rows > one.tried:
        yield Point(Metric.TRIES, rows - one.tried)
        one.tried = rows


def _rows(one: _Batch, state: State) -> Iterator[Point]:
    """The rows of a batch that has ended: all refused, unless it was published. One that is unreadable has none."""
    if state is State.UNREADABLE:
        return
    released = one.accounted if state is State.PUBLISHED else {}
    for outcome, rows in released.get("outcomes", {Outcome.REFUSED.value: one.rows}).items():
        yield Point(Metric.ROWS, rows, (outcome, one.agreement))
    for code in OF_TRIES:
        if rows := released.get("codes", {}).get(code, 0):
            yield Point(Metric.TRIES_HELD, rows, (code,))


_OTHERS: Mapping[str, Callable[[Facts], Point]] = {
    Kind.DECISION: lambda facts: Point(Metric.DECISIONS, 1, (facts["decision"],)),
    Kind.VIEW: lambda facts: Point(Metric.VIEWS, 1, (facts["what"],)),
}
