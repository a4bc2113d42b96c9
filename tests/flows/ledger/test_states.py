"""The life of a batch: total, disjoint, without dead ends; and the document that shows all life cycles."""

from __future__ import annotations

import itertools
from contextlib import nullcontext

import pytest

from expectations.base.errors import Fault
from flows.ledger.lifecycles import diagrams
from flows.ledger.lifecycles.states import BATCH, FINAL, RUNS_IN, TRANSITIONS, Cause, Checkpoint, State
from tests.factories.paths import DOCS

DOCUMENT = DOCS / "lifecycles.md"


def test_every_pair_of_states_is_either_one_cause_or_refused() -> None:
    for start, end in itertools.product(State, State):
        for cause in Cause:
            allowed = TRANSITIONS.get((start, end)) is cause
            with nullcontext() if allowed else pytest.raises(Fault, match="NO_SUCH_STEP"):
                BATCH.check(start, cause, end)


def test_final_states_are_exactly_those_without_a_way_out() -> None:
    assert {s for s in State if not any(a is s for a, _ in TRANSITIONS)} == FINAL
    assert {
        State.PUBLISHED, State.REFUSED, State.REJECTED, State.WITHDRAWN, State.UNREADABLE, State.EXPIRED,
    } == FINAL  # fmt: skip


def test_every_state_is_reached_and_leads_to_an_end() -> None:
    reached = _closure({State.RECEIVED}, TRANSITIONS)
    ends = _closure(set(FINAL), [(b, a) for a, b in TRANSITIONS])
    assert reached == ends == set(State)


def test_only_a_sealed_batch_is_prepared_and_only_a_prepared_one_is_published() -> None:
    assert [a for a, b in TRANSITIONS if b is State.PREPARED] == [State.SEALED]
    assert [a for a, b in TRANSITIONS if b is State.PUBLISHED] == [State.PREPARED]


def test_no_decision_leads_past_a_checkpoint() -> None:
    decided = {b for (_, b), cause in TRANSITIONS.items() if cause is Cause.DECIDED}
    assert decided == {State.REJECTED, *RUNS_IN.values()}
    assert State.SEALED not in decided
    assert set(RUNS_IN) == set(Checkpoint)


def test_every_cause_is_used() -> None:
    assert set(TRANSITIONS.values()) == set(Cause)


def test_refusal_says_what_to_do() -> None:
    with pytest.raises(Fault, match=r"published cannot become received.*sluicegate status"):
        BATCH.check(State.PUBLISHED, Cause.PASSED, State.RECEIVED)


def test_the_document_is_that_of_the_code() -> None:
    assert DOCUMENT.read_text() == diagrams.document(), "run python -m flows.ledger.lifecycles.diagrams > infra/docs/lifecycles.md"


def _closure(found: set[State], edges: object) -> set[State]:
    while True:
        more = {b for a, b in edges if a in found} - found  # type: ignore[attr-defined]
        if not more:
            return found
        found = found | more
