"""Counters that come from the ledger: whoever ran the batch, and again the same after a restart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from expectations.contracts.lists import Outcome
from expectations.gx.verdict import Status
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import FINAL, Checkpoint, State
from flows.operations.counted import Counted
from flows.operations.instruments import INSTRUMENTS, Metric, Point
from tests.factories import full_ledger
from tests.factories.ledgers import receive, sha


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("counted")
    with Ledger.open(f"sqlite:///{folder / 'ledger.db'}", Clock()) as made:
        full_ledger.fill(made, folder)
        yield made


def points(ledger: Ledger) -> list[Point]:
    counted = Counted()
    return [*counted.zeros(), *(point for event in ledger.links() for point in counted.points(event))]


def summed(found: list[Point], metric: Metric) -> Counter[tuple[str, ...]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for one in found:
        if one.metric is metric:
            counts[one.attributes] += int(one.value)
    return counts


def test_batches_and_rows_are_those_of_the_ledger(ledger: Ledger) -> None:
    found, records = points(ledger), ledger.batches()
    batches = summed(found, Metric.BATCHES)
    assert sum(n for (state, _), n in batches.items() if state == State.RECEIVED) == len(records)
    for state in FINAL:
        by_state = sum(n for (one, _), n in batches.items() if one == state)
        assert by_state == sum(record.state is state for record in records), state
    rows = summed(found, Metric.ROWS)
    refused = sum(r.rows for r in records if r.state in FINAL - {State.UNREADABLE, State.PUBLISHED})
    accounted = [ledger.accounted(r.name) or {} for r in records if r.state is State.PUBLISHED]
    assert {outcome: n for (outcome, agreement), n in rows.items() if agreement == "mou" and n} == {
        Outcome.REFUSED: refused,
        Outcome.RELEASED: sum(said["outcomes"]["released"] for said in accounted),
    }


def test_every_event_that_counts_is_counted(ledger: Ledger) -> None:
    found = points(ledger)
    kinds = Counter(event.kind for event in ledger.links())
    assert sum(summed(found, Metric.DECISIONS).values()) == kinds["decision"] > 0
    assert sum(summed(found, Metric.VIEWS).values()) == kinds["view"] > 0
    assert sum(summed(found, Metric.TRIES).values()) > 0
    held = [json.loads(event.facts)["codes"] for event in ledger.links() if event.kind == State.HELD]
    assert sum(n for (state, _), n in summed(found, Metric.BATCH_CODES).items() if state == State.HELD) == sum(
        map(len, held)
    )


def test_every_point_has_the_attributes_of_its_instrument(ledger: Ledger) -> None:
    for one in points(ledger):
        assert tuple(one.named) == INSTRUMENTS[one.metric].attributes and one.value >= 0
    with pytest.raises(ValueError, match="shorter"):
        _ = Point(Metric.VERDICTS, 1, ("intake",)).named


def test_a_reader_that_goes_on_counts_what_one_that_begins_anew_does(ledger: Ledger) -> None:
    counted, after, found = Counted(), 0, list(Counted.zeros())
    for _ in range(3):  # in three looks
        for event in ledger.links(after):
            if event.seq > after + ledger.newest_event() // 2:
                break
            after = event.seq
            found += counted.points(event)
    found += [point for event in ledger.links(after) for point in counted.points(event)]
    assert Counter(found) == Counter(points(ledger)) and list(ledger.links(ledger.newest_event())) == []


def test_verdicts_and_times_are_those_of_checkpoints(tmp_path: Path) -> None:
    counts = {"declared": 9, "evaluated": 9, "rows": 10}
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", Clock()) as ledger:
        for name in ("passes", "holds", "breaks"):
            receive(ledger, name)
        ledger.advance("passes", State.INGESTED, facts={**counts, "stage_ms": 1500, "checkpoint_ms": 250})
        ledger.hold("passes", Checkpoint.MATCHING, sha("a"), ["NO_CLEARANCE"])  # by law: no verdict
        ledger.hold("holds", Checkpoint.INTAKE, sha("a"), ["TOO_MANY_INCOMPLETE"], facts=counts)
        ledger.hold("breaks", Checkpoint.INTAKE, sha("a"), [], facts={**counts, "stage_ms": None, "checkpoint_ms": 40})
        found = points(ledger)
    verdicts = {key: n for key, n in summed(found, Metric.VERDICTS).items() if n}
    assert verdicts == {("intake", status): 1 for status in (Status.PASS, Status.HOLD, Status.ERROR)}
    seconds = [(one.attributes, one.value) for one in found if one.metric is Metric.STEP_DURATION]
    assert seconds == [(("ingest",), 1.5), (("intake",), 0.25), (("intake",), 0.04)]
