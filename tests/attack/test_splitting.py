"""Splitting one request over batches: the agreement's limits count over its period, in flight or ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from expectations.base.clock import Clock
from expectations.base.errors import Fault
from expectations.facts.earlier import Period
from flows.audit import sealed
from flows.batch import period
from flows.batch.plan import Step
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.evidence.requests import requests_path
from flows.ledger import Ledger
from flows.ledger.core import find
from flows.ledger.lifecycles.states import State
from flows.ledger.requests import over_period
from flows.sandbox.home import enrol
from tests.factories import installations
from tests.factories.installations import Installation
from tests.factories.law import versions

OFFICERS, SHARE = 12, 0.5
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "hundred")
COUNTED = [f"{tens} {unit}" for tens in ("twenty", "thirty", "forty") for unit in _NUMBERS]


def limited(installation: Installation, ledger: Ledger, *changes: tuple[str, str]) -> None:
    """Enrols the agreement with these changes of its text."""
    body = next(body for id, _, body in ledger.instruments() if id == "sandbox-2026").decode()
    for before, after in changes:
        assert body.count(before) == 1, before
        body = body.replace(before, after)
    enrol(installation.home, ledger, body.encode(), "sandbox-2026")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, Ledger]]:
    """A home whose agreement takes 12 requests of one officer within its period, and half of them for one reason."""
    made = installations.make(tmp_path_factory.mktemp("home"))
    with Ledger.open(made.home.ledger_url, Clock()) as ledger:
        number, share = "matters_per_officer_period = 20000", "identical_reason_share_period = 0.05"
        limited(made, ledger, (number, f"matters_per_officer_period = {OFFICERS}"))
        limited(made, ledger, (share, f"identical_reason_share_period = {SHARE}"))
        yield made, ledger


def rows(mark: str, count: int = 10, **changes: Any) -> list[dict[str, Any]]:
    """Requests with ids and cases of their own, which mark and officer tell from those of other tests."""
    return [
        installations.request(n, **{"request_id": f"{mark}-{n}", "officer": mark, **changes})
        for n in range(1, count + 1)
    ]


@contextmanager
def received(
    strict: tuple[Installation, Ledger], folder: Path, given: list[dict[str, Any]], *officers: tuple[str, str]
) -> Iterator[BatchSteps]:
    made, ledger = strict
    listed = [{"id": id, "name": name} for id, name in officers]
    source = made.submit(folder, given, officers=listed)
    yield BatchSteps(made.home, ledger, receive(made.home, ledger, Clock(), source))


def read(batch: BatchSteps) -> Period:
    """Reads the rows of a batch; gives what it comes to."""
    batch.do(Step.INGEST)
    said = batch.ledger.counted_period(batch.name)
    assert said is not None
    return Period(said["requests"], said["officer"], said["reason"])


def over_now(session: Session, name: str) -> dict[str, list[str]]:
    """What stands in the way of a batch, by its agreement at receipt and now."""
    entry = find(session, name)
    return over_period(session, entry, versions(session, entry))


@pytest.mark.slow
def test_three_times_ten_rows_do_not_pass_a_limit_of_twelve(
    strict: tuple[Installation, Ledger], tmp_path: Path
) -> None:
    """Under one id and other names, and under other ids and one name; also in batches that are refused."""
    known = [("split", "Ann Roe"), ("split", "Bo Doe"), ("Other", "Roe, Ann"), ("third", "BO DOE")]
    states = []
    for n, (id, name) in enumerate(known):
        given = rows(f"split-{n}", officer=id)
        with received(strict, tmp_path / str(n), given, (id, name)) as batch:
            assert read(batch).officer == 10 * (n + 1)
            batch.do(Step.INTAKE)
            states.append((batch.record.state, batch.record.codes))
    assert states == [(State.INGESTED, ()), *[(State.REFUSED, ("OFFICER_OVERLOADED",))] * 3]


@pytest.mark.slow
def test_five_batches_in_flight_count_against_each_other(strict: tuple[Installation, Ledger], tmp_path: Path) -> None:
    """All are received before one of them is read: the first that is read passes, and no later one."""
    flight = []
    for n in range(5):
        with received(strict, tmp_path / str(n), rows(f"race-{n}", officer="race"), ("race", "Race Roe")) as batch:
            flight.append(batch)
    assert [read(batch).officer for batch in reversed(flight)] == [10, 20, 30, 40, 50]
    assert [read(batch).officer for batch in flight] == [50, 40, 30, 20, 10]  # read again: counted once
    flight[0].do(Step.INTAKE)
    assert flight[0].record.codes == ("OFFICER_OVERLOADED",)
    with strict[1].reading() as session:  # under the publication lock, each but the first is stopped
        over = [over_now(session, batch.name) for batch in reversed(flight)]
    assert over == [{}, *[{"OFFICER_OVERLOADED": ["sandbox-2026"]}] * 4]


@pytest.mark.slow
def test_reasons_that_differ_in_a_counter_are_one_over_batches(
    strict: tuple[Installation, Ledger], tmp_path: Path
) -> None:
    found = []
    for n in range(3):
        given = [
            {**row, "reason": f"Needed to serve the defendant, record {COUNTED[10 * n + i]}", "officer": f"o-{n}"}
            for i, row in enumerate(rows(f"boiler-{n}"))
        ]
        with received(strict, tmp_path / str(n), given, (f"o-{n}", f"Officer {n}")) as batch:
            found.append(read(batch).reason)
    assert found == [10, 20, 30]


@pytest.mark.slow
def test_a_refused_batch_that_comes_back_corrected_is_asked_once(
    strict: tuple[Installation, Ledger], tmp_path: Path
) -> None:
    """A request counts as it was sent last, if nothing came of it before; else it counts both times."""
    _, ledger = strict
    for n, officer in enumerate(("wrong", "right")):
        given = rows("again", officer=officer)
        with received(strict, tmp_path / str(n), given, (officer, officer)) as batch:
            assert read(batch).officer == 10
        if n == 0:
            ledger.refuse(batch.name, ["OFFICER_OVERLOADED"], ["sandbox-2026"])
    with received(strict, tmp_path / "more", rows("more", 2, officer="wrong"), ("wrong", "wrong")) as batch:
        assert read(batch).officer == 2
    with received(strict, tmp_path / "right", rows("right", 2, officer="right"), ("right", "right")) as batch:
        assert read(batch).officer == 12


@pytest.mark.slow
def test_a_longer_period_enrolled_since_is_counted_before_anything_leaves(
    strict: tuple[Installation, Ledger], tmp_path: Path
) -> None:
    made, ledger = strict
    with received(strict, tmp_path / "a", rows("longer", officer="longer"), ("longer", "Longer")) as batch:
        read(batch)
    limited(made, ledger, ("period_days = 365", "period_days = 400"))
    with ledger.reading() as session, pytest.raises(Fault, match="LIMIT_NOT_COUNTED"):
        over_now(session, batch.name)
    period.count_again(made.home, ledger, batch.ctx)
    assert (ledger.counted_period(batch.name) or {})["days"] == 400
    with ledger.reading() as session:
        assert over_now(session, batch.name) == {}


def test_nothing_passes_where_what_was_asked_is_missing(strict: tuple[Installation, Ledger], tmp_path: Path) -> None:
    made, ledger = strict
    with received(strict, tmp_path / "a", rows("gone", officer="gone"), ("gone", "Gone")) as batch:
        read(batch)
    path = requests_path(made.home, batch.name)
    assert b"gone" not in path.read_bytes()
    kept = path.read_bytes()
    for spoil in (path.unlink, lambda: path.write_bytes(b"other")):
        spoil()
        found = [p for p in sealed.problems(made.home, ledger) if p.place == f"accounting/{path.name}"]
        assert len(found) == 1
        source = made.submit(tmp_path / "b", rows("after", officer="after"), officers=[{"id": "after", "name": "A"}])
        later = BatchSteps(made.home, ledger, receive(made.home, ledger, Clock(), source))
        with pytest.raises(Fault, match="REQUESTS_CHANGED"):
            later.do(Step.INGEST)
        assert json.loads(later.ctx.earlier.read_text())["period"] is None
        with pytest.raises(Fault, match="LIMIT_NOT_COUNTED"):
            later.do(Step.INTAKE)
        path.write_bytes(kept)
    assert ledger.verify() == []
