"""What is started, and when again: at once if it is new or has changed, after a pause if nothing came of it, and not
for ever."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from expectations.base.clock import Clock
from expectations.base.errors import Fault, Transient
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.ledger import Ledger
from flows.ledger.decisions import Reason
from flows.ledger.lifecycles.states import State
from flows.operations.progress import Reporter
from flows.schedule.due import PASSING, Due, due
from flows.schedule.started import PAUSES, Started
from tests.factories import installations


class Ticking:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def one(version: int, what: str = "b-1") -> Due:
    return Due("b-1", "b-1", what, what, version)


def test_what_nothing_came_of_is_started_again_after_each_pause_and_then_no_more() -> None:
    clock = Ticking()
    started = Started(clock)
    assert started.wanted(one(7)) and not started.again(one(7))
    assert started.note(one(7)) == 0
    for number, pause in enumerate(PAUSES, start=1):
        clock.now += pause - 1
        assert not started.wanted(one(7))
        clock.now += 1
        assert started.wanted(one(7)) and started.again(one(7))
        assert started.note(one(7)) == number
    clock.now += 10 * PAUSES[-1]
    assert not started.wanted(one(7))
    assert started.wanted(one(8)) and started.note(one(8)) == 0  # it has changed: all begins anew
    assert started.wanted(one(7, "another"))


def test_that_it_broke_off_is_no_change() -> None:
    """Else a full disk would be tried without a pause for as long as it is full."""
    clock = Ticking()
    started = Started(clock)
    started.note(one(7))
    assert not started.wanted(one(PASSING))
    clock.now += PAUSES[0]
    assert started.wanted(one(PASSING)) and started.note(one(PASSING)) == 1
    assert not started.wanted(one(PASSING))
    assert started.wanted(one(9))  # somebody ran it by hand, and it came further
    assert Started(clock).wanted(one(PASSING))  # whoever restarts the watch asks for a try


@pytest.mark.parametrize(
    ("error", "is_due"),
    [
        (Transient("DISK_FULL", "no space is left on the disk"), True),
        (Fault("UNEXPECTED", "KeyError"), False),
    ],
)
def test_a_failed_batch_is_due_if_what_failed_may_pass(tmp_path: Path, error: Fault, is_due: bool) -> None:
    home = (installation := installations.make(tmp_path / "home")).home
    folder = installation.submit(home.inbox / "one", [installations.request(1)])
    with installations.at_home(home), Ledger.open(home.ledger_url, Clock()) as ledger:
        batch = receive(home, ledger, ledger.clock, folder)
        stored = BatchSteps(home, ledger, batch, Reporter(quiet=True)).store_fault(error)
        ledger.advance(batch, State.FAILED, facts={"fault": stored})
        found = [(which.batch, which.version) for which in due(home) if not which.is_submission]
        assert found == ([(batch, PASSING)] if is_due else [])


@pytest.mark.parametrize("stored", [b"", b"\xff", b"[]", b"null", b'{"passing": "yes"}', b"[" * 100_000])
def test_a_spoiled_fault_stops_no_watch_and_is_nothing_that_passes(tmp_path: Path, stored: bytes) -> None:
    home = installations.make(tmp_path / "home").home
    assert home.passing_fault("b-1") is False
    (home.verdicts / "b-1").mkdir(parents=True)
    (home.verdicts / "b-1" / "fault.json").write_bytes(stored)
    assert home.passing_fault("b-1") is False


def test_what_is_ready_is_not_due_while_releases_are_halted(tmp_path: Path) -> None:
    home = (installation := installations.make(tmp_path / "home")).home
    folder = installation.submit(home.inbox / "one", [installations.request(1)])
    with installations.at_home(home), Ledger.open(home.ledger_url, Clock()) as ledger:
        batch = receive(home, ledger, ledger.clock, folder)
        ledger.advance(batch, State.INGESTED, facts={"rows_submitted": 1, "incomplete_rows": 0})
        for state in (State.MATCHED, State.VALIDATED, State.SEALED):
            ledger.advance(batch, state)
        assert [which.batch for which in due(home) if not which.is_submission] == [batch]
        ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
        assert [which for which in due(home) if not which.is_submission] == []


def test_a_look_at_a_full_inbox_asks_the_ledger_no_more_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = installations.make(tmp_path / "home")
    asked, reading = [], Ledger.reading

    def noted(ledger: Ledger) -> AbstractContextManager[Session]:
        asked.append(ledger)
        return reading(ledger)

    monkeypatch.setattr(Ledger, "reading", noted)
    counts = []
    for n in range(1, 31):
        installation.submit(installation.home.inbox / f"{n:02}", [installations.request(n)])
        if n in (1, 30):
            asked.clear()
            assert len(list(due(installation.home))) == n
            counts.append(len(asked))
    assert counts[0] == counts[1]
