"""Batches that wait too long end as expired, on the day after the agreement's last, accounted for as refused."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.base.clock import Clock
from flows import audit
from flows.batch import expiry
from flows.batch.advance import advance
from flows.batch.receive import INCOMING, receive
from flows.evidence.store import plaintext_folder
from flows.ledger.lifecycles.states import STAGES, State
from flows.schedule import sweep
from tests.factories import installations, runs
from tests.factories.installations import Installation

KILLED = f".view-{0:032x}"  # of a process that is no more


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installations.make(tmp_path_factory.mktemp("home") / "home")


def midnight(installation: Installation, days: int) -> datetime:
    """The beginning of a day in the agreement's zone, so many days from today."""
    zone = ZoneInfo(installation.agreement.zone)
    day = Clock().today(installation.agreement.zone) + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def test_a_held_batch_expires_on_the_day_after_the_last(installation: Installation, tmp_path: Path) -> None:
    name, days = runs.held(installation, tmp_path / "s"), installation.agreement.thresholds.held_days
    last, next_day = (Clock(midnight(installation, days + 1) + timedelta(seconds=s), pretended=True) for s in (-1, 0))
    with runs.ledger_of(installation.home, last) as ledger:
        assert sweep.due(installation.home, ledger) == []
    assert runs.run(installation.home, name, last) == (name, State.HELD)
    with runs.ledger_of(installation.home, next_day) as ledger:
        assert sweep.due(installation.home, ledger) == [name]
    assert runs.run(installation.home, name, next_day) == (name, State.EXPIRED)
    with runs.ledger_of(installation.home) as ledger:
        record, said = ledger.batch(name), ledger.accounted(name)
        assert record is not None and record.codes == ("HELD_TOO_LONG", "TOO_MANY_INCOMPLETE")
        assert said is not None and (said["outcomes"], said["codes"]["HELD_TOO_LONG"]) == ({"refused": 4}, 4)
        assert [e["kind"] for e in ledger.events(name)][-2:] == ["accounted", "expired"]
        assert audit.verify(installation.home, ledger, deep=True).problems == ()
        assert sweep.due(installation.home, ledger) == []
    assert not (installation.home.lake / name).exists()


def test_a_batch_that_failed_before_its_rows_were_read_expires_too(installation: Installation, tmp_path: Path) -> None:
    with runs.ledger_of(installation.home) as ledger:
        name = receive(
            installation.home,
            ledger,
            Clock(),
            installation.submit(tmp_path / "f", [installations.request(1, request_id="F-1")]),
        )
        ledger.advance(name, State.FAILED)
    later = Clock(midnight(installation, installation.agreement.thresholds.held_days + 1), pretended=True)
    kept = installation.home.prepared.rename(installation.home.prepared.with_name("elsewhere"))  # no register is asked
    try:
        assert runs.run(installation.home, name, later) == (name, State.EXPIRED)
    finally:
        kept.rename(installation.home.prepared)
    with runs.ledger_of(installation.home) as ledger:
        record = ledger.batch(name)
        assert record is not None and record.codes == ("HELD_TOO_LONG",) and ledger.accounted(name) is None
        assert audit.verify(installation.home, ledger).problems == ()
    assert not (installation.home.lake / name).exists()


@pytest.fixture
def stopped(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A batch that was withdrawn, or rejected, and whose run died before it was tidied up."""
    name = runs.held(installation, tmp_path / "s", "X")
    with runs.ledger_of(installation.home) as ledger:
        one = runs.work(installation.home, ledger, name)
        one.account_refused(one.record.codes)
        ledger.expire(name, ["HELD_TOO_LONG"])
    yield name


def test_an_end_that_a_crash_cut_short_is_told_and_completed(installation: Installation, stopped: str) -> None:
    with runs.ledger_of(installation.home) as ledger:
        assert f"batch {stopped}" in {p.place for p in audit.verify(installation.home, ledger).problems}
        assert sweep.due(installation.home, ledger) == [stopped]
        assert advance(runs.work(installation.home, ledger, stopped)) is State.EXPIRED
        assert [e["kind"] for e in ledger.events(stopped)].count("accounted") == 1  # it was, already
        assert audit.verify(installation.home, ledger).problems == () and sweep.due(installation.home, ledger) == []


def test_the_plaintext_that_a_killed_process_left_is_deleted(installation: Installation) -> None:
    """Opened evidence and a submission half taken in at once, unless a process is at work there; what was spilled after
    a day."""
    lake = installation.home.lake
    taken = lake / f"{INCOMING}{'0' * 32}"
    old, new, left = (lake / ".spill" / name for name in ("old", "new", "old.tmp"))
    for folder in (old, new, taken, lake / KILLED):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rows.parquet").write_text("plaintext")
    left.write_text("plaintext")
    for path in (old, left):
        os.utime(path, (0, 0))
    with plaintext_folder(installation.home) as mine:
        assert not (lake / KILLED).exists() and mine.stat().st_mode & 0o077 == 0
        (mine / "rows.parquet").write_text("plaintext")
        sweep.delete_abandoned(installation.home, Clock())
        there = (old, left, taken, new, mine / "rows.parquet")
        assert [p.exists() for p in there] == [False, False, False, True, True]
    assert not mine.exists()


def test_opening_evidence_deletes_what_a_killed_process_had_opened(installation: Installation) -> None:
    child = os.fork()
    if child == 0:
        with plaintext_folder(installation.home) as mine:
            (mine / "rows.parquet").write_text("plaintext")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert len(list(installation.home.lake.glob(".view-*"))) == 1
    with plaintext_folder(installation.home) as mine:
        assert list(installation.home.lake.glob(".view-*")) == [mine]


Steps = list[tuple[State, State, int]]


@st.composite
def histories(draw: st.DrawFn) -> tuple[Steps, int | None]:
    """Events as (from, to, day), and the day since which the batch has waited."""
    now, resumes, since, steps, day = State.RECEIVED, State.RECEIVED, None, [], 0
    for _ in range(draw(st.integers(0, 25))):
        day += draw(st.integers(0, 5))
        if now in (State.HELD, State.FAILED):
            since = None if now is State.HELD else since  # people decided; a run again is none
            steps.append((now, resumes, day))
            now = resumes
            continue
        to = draw(
            st.sampled_from(
                [State.HELD, State.FAILED, *([STAGES[STAGES.index(now) + 1]] if now is not STAGES[-2] else [])]
            )
        )
        steps.append((now, to, day))
        if to in (State.HELD, State.FAILED):
            since, resumes = (day if since is None else since), now
        else:
            since = None
        now = to
    return steps, since


@given(histories())
def test_the_wait_begins_with_the_first_fault_or_hold_after_the_last_thing_that_went_right(
    told: tuple[Steps, int | None],
) -> None:
    steps, since = told
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        {"at": (begin + timedelta(days=d)).isoformat(), "kind": to.value, "facts": {"start": start.value}}
        for start, to, d in steps
    ]
    others = [{"at": begin.isoformat(), "kind": k, "facts": {}} for k in ("view", "tries", "decision", "accounted")]
    found = expiry.waiting_since([*events, *others])
    assert found == (None if since is None else begin + timedelta(days=since))
