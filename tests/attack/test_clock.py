"""Time goes forward: a clock that is set back or leaps ahead decides nothing, and locks nobody out for good."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import Fault, SluicegateError
from flows.batch import receive as receiving
from flows.cli import main
from flows.home.tree import CONFIG, open_home
from flows.ledger.decisions import Reason
from flows.ledger.facts import View
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.looks import LookReason, Why
from flows.ledger.timing import GuardedClock, guarded
from flows.sandbox.home import init
from tests.factories.ledgers import ORDER, Office, receive, sha
from tests.factories.paths import ROOT

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A ledger at `NOW`, with operators, whose newest event is a batch."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", Clock(NOW))
    ledger.record_keys([(name, sha(name)) for name in ("hash", "holder_signing", "holder_age")])
    made = Office(ledger, "ada", "ben", "cleo")
    receive(ledger, "ended")
    ledger.refuse("ended", ["COURT_ORDER"], ["mou"])
    receive(ledger)
    return made


def at(office: Office, moment: datetime) -> Ledger:
    office.ledger.clock = Clock(moment)
    return office.ledger


USES: dict[str, Callable[[Office], object]] = {
    "a batch goes on": lambda o: o.ledger.advance("batch-1", State.INGESTED),
    "a batch is received": lambda o: receive(o.ledger, "batch-2"),
    "an order is enrolled": lambda o: o.enrol(ORDER),
    "evidence is shredded": lambda o: o.ledger.begin_shredding("ended", None, lambda _: []),
    "tries age out": lambda o: o.ledger.age_tries(o.ledger.clock.now() - 365 * DAY),
    "values are looked at": lambda o: o.ledger.audit("batch-1", 1, View.VALUES, "ada", Why(LookReason.COMPLAINT)),
    "a legal day": lambda o: o.ledger.clock.today("America/New_York"),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("apart", "code"),
    [(-3 * DAY, "CLOCK_BEHIND"), (-timedelta(seconds=6), "CLOCK_BEHIND"), (6 * 365 * DAY, "CLOCK_AHEAD")],
)
def test_nothing_is_decided_by_a_clock_that_ran_back_or_leapt_ahead(
    office: Office, use: str, apart: timedelta, code: str
) -> None:
    at(office, NOW + apart)
    head = office.ledger.head()
    with pytest.raises(Fault, match=code) as error:
        USES[use](office)
    assert "sluicegate clock show" in error.value.remedy and office.ledger.head() == head


def test_seconds_between_machines_take_the_newest_events_time(office: Office) -> None:
    at(office, NOW - timedelta(seconds=5))
    assert office.ledger.clock.now() == NOW
    receive(office.ledger, "batch-2")
    assert {e["at"] for e in office.ledger.events()} == {NOW.isoformat(timespec="microseconds")}
    assert office.ledger.verify() == []


def test_what_is_allowed_stands_in_the_configuration(tmp_path: Path) -> None:
    home = init(tmp_path / "home", sandbox=True, settings={"clock_skew": 60, "clock_leap": 90})
    clock = home.clock()
    assert (clock.skew, clock.leap) == (timedelta(seconds=60), timedelta(days=90))
    default = open_home(init(tmp_path / "other", sandbox=True, settings={}).root).clock()
    assert (default.skew, default.leap) == (timedelta(seconds=5), timedelta(days=30))
    (home.root / CONFIG).write_text("clock_leap = 100000\n")
    with pytest.raises(SluicegateError, match="CONFIG_INVALID"):
        open_home(home.root)


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_leap_is_judged_to_the_second(seconds: int) -> None:
    now = NOW + timedelta(days=30, seconds=seconds)
    if seconds:
        with pytest.raises(Fault, match="CLOCK_AHEAD"):
            guarded(now, NOW, timedelta(seconds=5), timedelta(days=30))
    else:
        assert guarded(now, NOW, timedelta(seconds=5), timedelta(days=30)) == now


def set_right(office: Office, day: date, *by: str) -> int:
    text = office.ledger.clock_message(day)
    return office.ledger.set_clock(day, office.signed(text, by, signatures.CLOCK))


def test_after_a_quiet_month_two_operators_let_time_go_on(office: Office) -> None:
    later = NOW + timedelta(days=31)
    at(office, later)
    with pytest.raises(SluicegateError, match="TWO_SIGNATURES"):
        set_right(office, later.date(), "ada")
    with pytest.raises(SluicegateError, match="CLOCK_OTHER_DAY"):
        set_right(office, NOW.date(), "ada", "ben")  # the calendar says that the clock has leapt
    with pytest.raises(SluicegateError, match="CLOCK_OTHER_DAY"):
        set_right(office, (later + DAY).date(), "ada", "ben")
    assert set_right(office, later.date(), "ada", "ben") == office.ledger.head().seq
    receive(office.ledger, "batch-2")
    assert office.ledger.verify() == []


def test_a_stretch_that_a_wrong_clock_dated_ahead_is_closed(office: Office) -> None:
    """As an older version let it happen: three batches in 2032. The ledger is not locked until then."""
    ahead = NOW + 6 * 365 * DAY
    office.ledger.clock = Clock(ahead, leap=timedelta.max)
    receive(office.ledger, "batch-2")
    office.ledger.hold("batch-2", Checkpoint.INTAKE, sha("rows"), ["TOO_MANY_INCOMPLETE"])
    at(office, NOW + DAY)
    with pytest.raises(Fault, match="CLOCK_BEHIND"):
        receive(office.ledger, "batch-3")
    set_right(office, (NOW + DAY).date(), "ada", "ben")
    receive(office.ledger, "batch-3")
    assert office.ledger.verify() == []
    with pytest.raises(Fault, match="CLOCK_BEHIND"):
        receive(at(office, NOW), "batch-4")  # no time before the newest event, whatever lies further ahead


def test_signatures_over_a_day_count_once(office: Office) -> None:
    later = at(office, NOW + timedelta(days=31)).clock.machine()
    text = office.ledger.clock_message(later.date())
    signed = office.signed(text, ("ada", "ben"), signatures.CLOCK)
    office.ledger.set_clock(later.date(), signed)
    with pytest.raises(SluicegateError, match="BAD_SIGNATURE"):
        office.ledger.set_clock(later.date(), signed)


def test_evidence_shredded_in_a_closed_stretch_was_shredded_too_early(office: Office) -> None:
    """The time of what a wrong clock dated ahead is, at the latest, when people set the clock right."""
    office.ledger.clock = Clock(NOW + 6 * 365 * DAY, leap=timedelta.max)
    office.ledger.begin_shredding("ended", None, lambda _: [])
    office.ledger.end_shredding("ended")
    began = office.ledger.shredding_began("ended")
    assert began is not None and began[0] == NOW + 6 * 365 * DAY
    at(office, NOW + DAY)
    set_right(office, (NOW + DAY).date(), "ada", "ben")
    assert office.ledger.shredding_began("ended") == (NOW + DAY, None)


@pytest.mark.parametrize("apart", [-3 * DAY, 6 * 365 * DAY])
def test_a_halt_waits_for_no_clock(office: Office, apart: timedelta) -> None:
    number = at(office, NOW + apart).halt("ada", Reason.SUSPECTED_FAULT)
    assert office.ledger.events()[-1]["at"] == NOW.isoformat(timespec="microseconds")
    assert [h.seq for h in office.ledger.halts()] == [number]
    assert office.ledger.verify() == []


def test_an_event_whose_time_lies_before_the_one_before_it_is_found(office: Office) -> None:
    """The chain written so from the start: its hashes fit."""
    from flows.ledger import chain

    with office.ledger.transaction() as session:
        chain.append(session, (NOW - DAY).isoformat(timespec="microseconds"), None, "tick", "{}")
    assert any("before that of the event before it" in p.what for p in office.ledger.verify())


def test_the_newest_event_without_a_time_lets_nothing_go_on(office: Office) -> None:
    with office.ledger.transaction() as session:
        session.connection().exec_driver_sql("UPDATE events SET at = 'x' WHERE seq = (SELECT max(seq) FROM events)")
    with pytest.raises(Fault, match="LEDGER_BROKEN"):
        office.ledger.clock.now()


def test_a_quiet_home_leaves_an_event_each_night(office: Office) -> None:
    assert not office.ledger.tick()
    assert at(office, NOW + 2 * DAY).tick() and not office.ledger.tick()
    with pytest.raises(Fault, match="CLOCK_AHEAD"):
        at(office, NOW + 40 * DAY).tick()


def test_a_clock_given_by_hand_is_guarded_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hands a clock to what receives submissions hands over no way around the guard."""
    clock = office.ledger.guard(Clock(NOW - 3 * DAY))
    assert isinstance(clock, GuardedClock)
    with pytest.raises(Fault, match="CLOCK_BEHIND"):
        clock.now()
    assert "ledger.guard(clock)" in Path(receiving.__file__).read_text()


def test_a_day_pretended_in_a_sandbox_is_never_recorded_as_the_time(office: Office) -> None:
    office.ledger.clock = Clock(NOW, leap=timedelta.max)
    pretended = Clock(datetime(2040, 1, 1, tzinfo=UTC), pretended=True, leap=timedelta.max)
    office.ledger.clock = pretended
    assert office.ledger.clock.today("UTC") == date(2040, 1, 1)
    receive(office.ledger, "batch-2")
    assert office.ledger.events()[-1]["at"] < "2040"


def test_no_other_clock_is_read() -> None:
    """`datetime.now`, `date.today` and `time.time` stand in expectations/base/clock.py, and SQL asks for no time."""
    found = []
    for package in ("expectations", "pipelines", "flows"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    called = ast.unparse(node.func)
                    if called in ("datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time"):
                        found.append(f"{path.relative_to(ROOT)}: {called}")
            for word in ("current_date", "current_timestamp", "get_current_"):
                if word in text.lower():
                    found.append(f"{path.relative_to(ROOT)}: {word}")
    assert found == ["expectations/base/clock.py: datetime.now"]


def test_the_commands_show_it_and_set_it_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = init(tmp_path / "home", sandbox=True, settings={})
    monkeypatch.setenv("SLUICEGATE_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    assert main.run(["clock", "show"]) == 0 and "They fit" in capsys.readouterr().out
    later = datetime.now(UTC) + timedelta(days=40)
    monkeypatch.setattr(Clock, "now", lambda self: self.fixed or later)
    assert main.run(["status"]) == 0  # looking is free
    capsys.readouterr()
    assert main.run(["clock", "show"]) == 1 and "The clock is ahead" in capsys.readouterr().out
    assert main.run(["ledger", "sign-head"]) == 1
    assert "CLOCK_AHEAD" in capsys.readouterr().err
    for name in ("operator-1", "operator-2"):
        assert main.run(["clock", "sign", "--key", str(home.keys / name)]) == 0
    given = ["--signature", "clock.operator-1.sig", "--signature", "clock.operator-2.sig"]
    assert main.run(["clock", "set", *given]) == 0
    assert main.run(["clock", "show"]) == 0
