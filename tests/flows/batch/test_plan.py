"""The steps of a batch: none is forgotten in the plan, in the retries or in what a state means for an exit code."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from expectations.base.errors import Fault, Transient
from expectations.base.total import total
from flows.batch import steps
from flows.batch.plan import LAW_READ, PASSED, PLAN, Step
from flows.batch.steps import BatchSteps
from flows.ledger.lifecycles.states import FINAL, RUNS_IN, STAGES, STOPPED, Checkpoint, State
from flows.schedule import server
from flows.schedule.retries import RETRIES
from flows.schedule.run import EXIT_CODES
from tests.factories.installations import Installation


def test_every_step_is_due_in_one_state_and_in_its_order() -> None:
    assert [step for state in State for step in PLAN[state]] == list(Step)
    assert {state for state in State if not PLAN[state]} == {*FINAL, State.HELD, State.FAILED}


def test_a_checkpoint_is_the_last_step_of_its_state_and_leads_to_the_next() -> None:
    for checkpoint, state in RUNS_IN.items():
        assert PLAN[state][-1] == checkpoint.value
        assert STAGES.index(PASSED[checkpoint]) == STAGES.index(state) + 1
    assert set(PASSED) == set(Checkpoint)


def test_a_step_is_tried_again_twice_after_what_a_further_try_may_fix() -> None:
    assert {step: (retries.pauses, retries.on) for step, retries in RETRIES.items()} == dict.fromkeys(
        Step, ((1, 5), Transient)
    )


def test_a_batch_that_is_still_on_its_way_is_a_fault() -> None:
    codes = Counter(EXIT_CODES.values())
    assert set(EXIT_CODES) == set(State) and codes == {0: 1, 3: 3, 4: 4, 5: 1, 1: 5}
    assert State.PUBLISHED not in STOPPED and State.HELD in STOPPED


@pytest.mark.parametrize("table", [PLAN, EXIT_CODES])
def test_a_state_without_behaviour_fails_at_import(table: dict[State, Any]) -> None:
    with pytest.raises(Fault, match=r"LIST_INCOMPLETE.*EXPIRED"):
        total(State, {state: entry for state, entry in table.items() if state is not State.EXPIRED})


def test_the_flow_tries_a_step_again_as_the_table_says(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.configure(installation.home)
    from flows.schedule import tasks
    from flows.schedule.retries import RETRIES

    class Ended:
        def __init__(self, error: Exception) -> None:
            self.error = error

        async def aresult(self, raise_on_failure: bool) -> Exception:
            return self.error

    given: dict[str, Any] = {}
    done = SimpleNamespace(result=lambda raise_on_failure: "done")
    options = SimpleNamespace(with_options=lambda **options: given.update(options) or (lambda *_, **__: done))
    monkeypatch.setattr(tasks, "_work", options)
    assert tasks.as_task("b-none publish", lambda: None, RETRIES[Step.PUBLISH]) == "done"
    assert (given["name"], given["retries"], given["retry_delay_seconds"]) == ("b-none publish", 2, [1, 5])
    assert given["timeout_seconds"] == RETRIES[Step.PUBLISH].seconds
    again = [
        asyncio.run(given["retry_condition_fn"](None, None, Ended(error("CODE", "text"))))
        for error in (Transient, Fault)
    ]
    assert again == [True, False]


@pytest.mark.parametrize("step", Step)
def test_every_step_can_be_done(installation: Installation, monkeypatch: pytest.MonkeyPatch, step: Step) -> None:
    """Each name leads to a stage, a checkpoint or a step of the release; none falls through."""
    done: list[str] = []

    class Recorder:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: done.append(name) or self

    for stage in ("ingest", "match", "validate"):
        monkeypatch.setattr(steps, stage, Recorder())
    monkeypatch.setattr(BatchSteps, "ctx", None)
    monkeypatch.setattr(BatchSteps, "release", Recorder())
    monkeypatch.setattr(BatchSteps, "dropped", lambda _: None)
    monkeypatch.setattr(BatchSteps, "checkpoint", lambda _, which: done.append(which.value))
    asked: list[bool] = []
    monkeypatch.setattr(BatchSteps, "read_law", lambda _: asked.append(True))
    monkeypatch.setattr(BatchSteps, "stopped", lambda *_: False)
    kept: list[Step] = []
    monkeypatch.setattr(steps.period, "count", lambda *_: kept.append(Step.INGEST))
    monkeypatch.setattr(steps.tries, "record", lambda *_: kept.append(Step.VALIDATE))
    BatchSteps(installation.home, None, "b-none").do(step)  # type: ignore[arg-type]
    expected = {Step.RELEASE: "end_rows", Step.PREPARE: "prepare", Step.PUBLISH: "publish"}
    stages = {Step.INGEST, Step.MATCH, Step.VALIDATE}
    assert done == [expected.get(step, "run" if step in stages else step.value)]
    assert kept == [one for one in (Step.INGEST, Step.VALIDATE) if one is step]  # what the ledger is told of
    assert bool(asked) is (step in LAW_READ)
