"""What is measured when somebody asks: of the ledger, of what waits, of the last night."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from flows.cli import main
from flows.home.tree import Home, make_tree, open_home
from flows.ledger import Ledger
from flows.ledger.facts import View
from flows.ledger.lifecycles.states import State
from flows.ledger.looks import LookReason, Why
from flows.operations.instruments import INSTRUMENTS, Metric, Point
from flows.schedule import metrics, summary
from flows.schedule.metrics import Looks
from flows.schedule.things import Kind
from tests.factories import full_ledger, installations


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """With a ledger in which everything happened, an upload that was broken off, and a night."""
    made = make_tree(tmp_path_factory.mktemp("metrics") / "home", {"sandbox": True, "upload_hours": 1})
    with Ledger.open(made.ledger_url, Clock()) as ledger:
        full_ledger.fill(ledger, made.root)
    night = {"at": "2026-11-25T06:30:00+00:00", "selftest": summary.PASSED, "batches": [], "waiting": []}
    summary.store(made, night)
    with installations.at_home(made):
        yield made


def values(found: list[Point], metric: Metric) -> dict[tuple[str, ...], float]:
    return {one.attributes: one.value for one in found if one.metric is metric}


def test_a_look_measures_everything_that_there_is(home: Home) -> None:
    found = list(Looks(home).look())
    assert values(found, Metric.READABLE) == {(): 1}
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        states = [record.state for record in ledger.batches()]
        assert values(found, Metric.LEDGER_EVENTS) == {(): ledger.newest_event()}
    assert values(found, Metric.OPEN)[(State.HELD,)] == states.count(State.HELD) > 0
    assert values(found, Metric.WAITING)[(Kind.HELD,)] == states.count(State.HELD)
    assert values(found, Metric.WAITING).keys() == {(kind,) for kind in Kind}
    assert values(found, Metric.WAITING_AGE)[(Kind.HELD,)] > 0 == values(found, Metric.WAITING_AGE)[(Kind.UNSIGNED,)]
    assert values(found, Metric.NIGHT_EXIT) == {(): 0} and values(found, Metric.NIGHT_BEGAN) == {(): 1795588200}
    assert values(found, Metric.SERVICE_UP) == {("metrics",): 1}
    assert values(found, Metric.HOME_FREE)[()] > 0
    assert all(tuple(one.named) == INSTRUMENTS[one.metric].attributes for one in found)


def test_a_second_look_counts_only_what_is_new(home: Home) -> None:
    looks = Looks(home)
    first = list(looks.look())
    counted = (Metric.BATCHES, Metric.VERDICTS, Metric.VIEWS, Metric.DECISIONS, Metric.ROWS)
    assert [one for one in looks.look() if one.metric in counted] == []
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        ledger.audit("batch-1", 2, View.VALUES, "ada", Why(LookReason.COMPLAINT))
    second = [one for one in looks.look() if one.metric in counted]
    assert second == [Point(Metric.VIEWS, 1, ("values",))] and any(one.metric is Metric.VIEWS for one in first)


def test_time_left_is_negative_once_a_deadline_has_passed(home: Home) -> None:
    now, found = metrics.looked(home)
    late = [one for one in found if one.until]
    assert late, [one.kind for one in found]
    one = late[0]
    assert one.until is not None
    for shift in (timedelta(hours=1), -timedelta(hours=1)):
        points = list(metrics._waiting(one.until - shift, [one]))
        assert values(points, Metric.WAITING_DEADLINE) == {(one.kind,): shift.total_seconds()}
    assert now.tzinfo is not None


def test_what_cannot_be_read_is_no_number_and_says_no_more(home: Home, tmp_path: Path) -> None:
    shutil.copytree(home.root, tmp_path / "home")
    copy = open_home(tmp_path / "home")
    looks, ledger = Looks(copy), copy.root / "ledger.db"
    whole = ledger.read_bytes()
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (copy.root / name).unlink(missing_ok=True)
    ledger.write_bytes(b"not a database" * 1000)
    found = list(looks.look())
    assert values(found, Metric.READABLE) == {(): 0} and values(found, Metric.WAITING) == {}
    ledger.write_bytes(whole)
    again = list(looks.look())
    assert values(again, Metric.READABLE) == {(): 1} and values(again, Metric.WAITING)[(Kind.HELD,)] > 0


def test_a_port_that_is_taken_is_said(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main.run(["metrics", "--port", str(taken.getsockname()[1])]) == 2
    assert "PORT_TAKEN" in capsys.readouterr().err
