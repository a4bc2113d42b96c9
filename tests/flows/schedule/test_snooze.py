"""What is set aside stays listed and counted, ends no night otherwise, and comes back once anything changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import HELD, Usage
from flows.batch.decisions import sign
from flows.cli import main
from flows.ledger import Ledger
from flows.ledger.decisions import Decision, Reason
from flows.ledger.snoozing import SnoozeReason
from flows.schedule import snooze, summary, waiting
from flows.schedule.things import Kind, Waits
from tests.factories import installations, runs
from tests.factories.installations import Installation

WHY = SnoozeReason.CAUSE_SOUGHT


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = installations.make(tmp_path / "home")
    with installations.at_home(made.home):
        yield made


@pytest.fixture
def held(installation: Installation) -> str:
    return runs.held(installation, installation.home.inbox / "held")


def all_of(installation: Installation, hours: float = 0) -> list[Waits]:
    clock = Clock(Clock().now() + timedelta(hours=hours), pretended=True)
    with Ledger.open(installation.home.ledger_url, clock) as ledger:
        return waiting.everything(installation.home, ledger)


def aside(installation: Installation, id: str, hours: float = 0) -> bool:
    (one,) = (one for one in all_of(installation, hours) if one.id == id)
    return one.snoozed is not None


def set_aside(installation: Installation, id: str, hours: int = 8) -> None:
    with runs.ledger_of(installation.home) as ledger:
        snooze.snooze(ledger, snooze.find(installation.home, ledger, id), "operator-1", WHY, hours)


def night(installation: Installation) -> dict[str, Any]:
    waits = [one.told(Clock().now()) for one in all_of(installation)]
    return {"at": "x", "selftest": summary.PASSED, "batches": [], "waiting": waits}


def test_it_stays_listed_and_counted_and_says_who_until_when_and_why(
    installation: Installation, held: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = summary.headline(night(installation))
    set_aside(installation, held)
    assert summary.headline(night(installation)) == before and summary.exit_code(night(installation)) == HELD
    (one,) = night(installation)["waiting"]
    assert (one["snoozed"]["by"], one["snoozed"]["reason"]) == ("operator-1", "cause_sought")
    assert main.run(["status"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"Held: {held}" in said and "set aside by operator-1 until" in said and "is being looked for" in said
    assert aside(installation, held, 7.9) and not aside(installation, held, 8.1)


def test_it_comes_back_once_somebody_has_spoken(installation: Installation, held: str) -> None:
    set_aside(installation, held)
    assert aside(installation, held)
    sign(installation.home, held, Decision.DROP, signatures.load(installation.home.keys / "operator-2"))
    assert not aside(installation, held)


def test_it_comes_back_at_another_hold(installation: Installation, held: str) -> None:
    set_aside(installation, held)
    for name in ("operator-1", "operator-2"):
        sign(installation.home, held, Decision.DROP, signatures.load(installation.home.keys / name))
    assert [one.kind for one in all_of(installation)] == [Kind.FAILED] and not aside(installation, held)


def test_a_look_at_it_or_setting_it_aside_again_changes_nothing(installation: Installation, held: str) -> None:
    set_aside(installation, held)
    before = all_of(installation)[0].thing
    set_aside(installation, held, 24)
    assert all_of(installation)[0].thing == before and aside(installation, held, 23)


def test_it_comes_back_a_day_before_its_deadline_and_is_never_set_aside_beyond(
    installation: Installation, held: str
) -> None:
    (one,) = all_of(installation)
    assert one.until is not None
    left = (one.until - Clock().now()) / timedelta(hours=1)
    clock = Clock(one.until - timedelta(hours=30), pretended=True)
    with Ledger.open(installation.home.ledger_url, clock) as ledger:
        (then,) = waiting.everything(installation.home, ledger)
        with pytest.raises(Usage, match=r"SNOOZE_TOO_LONG.*deadline"):
            snooze.snooze(ledger, then, "operator-1", WHY, 7)
        snooze.snooze(ledger, then, "operator-1", WHY, 5)
        ledger.snooze(then.thing, "operator-1", WHY, ledger.clock.now() + timedelta(hours=30))  # not by our path
    assert aside(installation, held, left - 25) and not aside(installation, held, left - 23)


def test_a_halt_comes_back_once_somebody_has_spoken(installation: Installation) -> None:
    from flows.batch.decisions import resume

    with runs.ledger_of(installation.home) as ledger:
        halt = ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
    set_aside(installation, str(halt))
    assert aside(installation, str(halt))
    with runs.ledger_of(installation.home) as ledger:
        resume(ledger, halt, signatures.load(installation.home.keys / "operator-1"), Reason.CAUSE_MENDED)
    assert not aside(installation, str(halt))


def test_what_nobody_could_look_at_is_never_set_aside(installation: Installation) -> None:
    with runs.ledger_of(installation.home) as ledger:
        for kind in (Kind.UNKNOWN, Kind.RESTORED):
            with pytest.raises(Usage, match="NEVER_SNOOZED"):
                snooze.snooze(ledger, Waits(kind, "x"), "operator-1", WHY, 1)
        with pytest.raises(Usage, match="NOTHING_WAITS"):
            snooze.find(installation.home, ledger, "x")
        with pytest.raises(Usage, match="STALE_PAGE"):
            snooze.thing(installation.home, ledger, "0" * 64)
        assert ledger.snoozes(ledger.clock.now()) == {}


def test_by_command(installation: Installation, held: str, capsys: pytest.CaptureFixture[str]) -> None:
    key = str(installation.home.keys / "operator-1")
    asked = ["review", "snooze", held, "--key", key, "--reason", "planned"]
    assert main.run([*asked, "--hours", "73"]) == 2 and not aside(installation, held)
    assert main.run([*asked, "--hours", "2", "--kind", "held"]) == 0 and aside(installation, held, 1.9)
    assert main.run(["review", "unsnooze", held, "--key", key]) == 0 and not aside(installation, held)
    assert main.run(["review", "unsnooze", held, "--key", key]) == 2
    assert "NOT_SNOOZED" in capsys.readouterr().err
    with runs.ledger_of(installation.home) as ledger:
        assert ledger.verify() == []
