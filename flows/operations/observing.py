"""Who is told of a run as it goes on: the log, traces, lineage, each where it is chosen. Ids, counts and codes only.

An observer that fails is left out, and the batch goes on: what a run did stands in the ledger.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from expectations.base.errors import SluicegateError
from expectations.gx.verdict import Verdict
from flows.batch.plan import Step
from flows.batch.steps import BatchSteps
from flows.home.tree import Home
from flows.operations import logs
from flows.operations.observer import Did, Observer, Place


class Run:
    """One run of a batch, and who is told of it."""

    def __init__(self, steps: BatchSteps, observers: list[Observer]) -> None:
        self.steps, self.observers = steps, observers

    def step(self, which: Step) -> Verdict | None:
        """Does a step. Gives and raises what it does."""
        if not self.observers:
            return self.steps.do(which)
        began = time.time_ns()
        verdict, error = None, None
        try:
            verdict = self.steps.do(which)
            return verdict
        except BaseException as raised:
            error = code(raised)
            raise
        finally:
            did = Did(which, began, time.time_ns(), verdict, error)
            self.tell(lambda one, at: one.did(at, did))

    def tell(self, what: Callable[[Observer, Place], None]) -> None:
        """Tells everybody; whom that fails for is told nothing more."""
        if not self.observers:
            return
        with suppress(Exception):
            at = Place.of(self.steps)
            for one in list(self.observers):
                try:
                    what(one, at)
                except Exception:
                    self.observers.remove(one)


@contextmanager
def observed(steps: BatchSteps) -> Iterator[Run]:
    """A run of this batch, of which all are told that the home names."""
    run, error = Run(steps, chosen(steps.home)), None
    run.tell(lambda one, at: one.begins(at))
    try:
        yield run
    except BaseException as raised:
        error = code(raised)
        raise
    finally:
        run.tell(lambda one, at: one.ends(at, error))


def code(error: BaseException) -> str:
    """The code of an error of ours; the type of any other. Never its text, which may quote a value."""
    return error.code if isinstance(error, SluicegateError) else type(error).__name__


def chosen(home: Home) -> list[Observer]:
    """Who is named in the home's configuration. One that cannot be had is left out: `sluicegate doctor` says why."""
    found: list[Observer] = []
    for make in (_lines, _spans, _run_events):
        try:
            found += make(home)
        except Exception as error:
            logs.say("observer.missing", logging.ERROR, code=code(error))
    return found


def _lines(home: Home) -> Iterator[Observer]:
    if logs.heard():
        from flows.operations.lines import Lines

        yield Lines()


def _spans(home: Home) -> Iterator[Observer]:
    if home.config.telemetry.otlp:
        from flows.operations.tracing import Spans

        yield Spans(home)


def _run_events(home: Home) -> Iterator[Observer]:
    if home.config.lineage.url:
        from flows.operations.lineage.run import RunEvents

        yield RunEvents(home)
