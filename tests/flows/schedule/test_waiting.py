"""What waits for people: all of it is said, each with what to do, and for as long as it waits."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import BadInput
from flows.batch.unreadable import ASIDE
from flows.cli import main
from flows.ledger import Ledger
from flows.ledger.decisions import Reason
from flows.schedule import summary, waiting
from flows.schedule.things import Kind
from tests.factories import installations, runs
from tests.factories.installations import Installation

SIGNATURE = "letter.toml.sig"
CANARY = "Zebulon Quackenbush 17"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = installations.make(tmp_path / "home")
    with installations.at_home(made.home):
        yield made


def told(installation: Installation, hours: float = 0) -> list[dict[str, Any]]:
    """All that waits, so many hours from now."""
    clock = Clock(Clock().now() + timedelta(hours=hours), pretended=True)
    with Ledger.open(installation.home.ledger_url, clock) as ledger:
        return [one.told(clock.now()) for one in waiting.everything(installation.home, ledger)]


def kinds(installation: Installation, hours: float = 0) -> list[str]:
    return [one["kind"] for one in told(installation, hours)]


def test_an_upload_is_incomplete_only_once_nothing_of_it_changes(installation: Installation) -> None:
    folder = installation.submit(installation.home.inbox / CANARY, [installations.request(1)])
    signature = (folder / SIGNATURE).read_bytes()
    (folder / SIGNATURE).unlink()
    (installation.home.inbox / "half.part").write_text("a file")
    hours = installation.home.config.upload_hours
    assert kinds(installation) == kinds(installation, hours - 0.1) == []
    assert kinds(installation, hours + 0.1) == ["unsigned", "incomplete"]
    (folder / "letter.toml").unlink()
    assert kinds(installation, hours + 0.1) == ["incomplete", "incomplete"]
    (folder / SIGNATURE).write_bytes(signature)
    assert kinds(installation) == ["not read"]


def test_a_submission_whose_batch_broke_off_is_told_once(installation: Installation) -> None:
    from flows.batch.receive import receive

    folder = installation.submit(installation.home.inbox / "one", [installations.request(1)])
    assert kinds(installation) == ["not read"]
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        receive(installation.home, ledger, ledger.clock, folder)
    assert kinds(installation) == ["failed"]


def test_what_another_named_goes_no_further_than_this_machine(installation: Installation) -> None:
    folder = installation.submit(installation.home.inbox / CANARY, [installations.request(1)])
    (folder / SIGNATURE).unlink()
    (one,) = told(installation, 25)
    assert one["folder"] == CANARY and re.fullmatch("s-[0-9a-f]{12}", one["id"])
    night = {"at": "2026-01-01T00:00:00+00:00", "selftest": "passed", "batches": [(CANARY, None, "failed", ["X"])]}
    shown = summary.markdown(installation.home, {**night, "waiting": [one]})
    assert one["id"] in shown and CANARY not in shown
    odd = folder.rename(folder.with_name("evil\x1b[2J"))
    assert told(installation, 25)[0]["folder"].startswith("folder-") and odd.exists()


@pytest.mark.slow
def test_each_batch_that_waits_is_told_with_its_end_until_it_has_one(
    installation: Installation, tmp_path: Path
) -> None:
    held = runs.held(installation, tmp_path / "held")
    runs.rejected(installation, tmp_path / "rejected")
    days = installation.agreement.thresholds.held_days
    (one,) = told(installation, 49)
    assert (one["kind"], one["id"], one["codes"], one["hours"]) == ("held", held, ["TOO_MANY_INCOMPLETE"], 49)
    assert one["until"] and not one["late"] and held in one["to_do"]
    assert told(installation, 24 * (days + 2))[0]["late"]
    with runs.ledger_of(installation.home) as ledger:
        ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
    assert kinds(installation) == ["held", "releases halted"]


def test_an_unreadable_submission_waits_until_somebody_has_deleted_it(installation: Installation) -> None:
    from flows.batch import unreadable
    from flows.batch.receive import receive

    folder = installation.home.inbox / "bad"
    folder.mkdir()
    (folder / "letter.toml").write_text("not = [a letter")
    (folder / SIGNATURE).write_text("none")
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger, pytest.raises(BadInput):
        receive(installation.home, ledger, ledger.clock, folder)
    unreadable.put_aside(installation.home, folder)
    (one,) = told(installation)
    assert (one["kind"], one["codes"]) == ("unreadable", ["LETTER_UNREADABLE"])
    shutil.rmtree(installation.home.inbox / ASIDE / one["id"])
    assert told(installation) == []


def test_what_cannot_be_looked_at_is_said_and_hides_nothing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise BadInput("CASE_UNREADABLE", "text")

    monkeypatch.setattr(waiting.watching, "deadlines_due", broken)
    installation.submit(installation.home.inbox / "one", [installations.request(1)])
    found = told(installation)
    assert tuple(found[0][key] for key in ("kind", "id", "codes")) == ("unknown", "recalls", ["CASE_UNREADABLE"])
    assert [one["kind"] for one in found] == ["unknown", "not read"]


def test_the_end_of_a_night_is_what_is_there(installation: Installation) -> None:
    def code(*found: Kind, states: tuple[str, ...] = (), **more: Any) -> int:
        waits = [waiting.Waits(kind, "x").told(Clock().now()) for kind in found]
        batches = [("f", "b", state, []) for state in states]
        return summary.exit_code({"selftest": "passed", "batches": batches, "waiting": waits, **more})

    assert code() == code(states=("published", "refused", "expired")) == 0
    waits = {
        Kind.HELD,
        Kind.HALTED,
        Kind.UNREADABLE,
        Kind.UNSIGNED,
        Kind.INCOMPLETE,
        Kind.RECALL,
        Kind.LOOKBACK,
        Kind.ORDER,
        Kind.HALT,
        Kind.RESTORED,
        Kind.BACKUP,
        Kind.EARLIER_KEY,
        Kind.PROPOSAL,
    }
    assert {kind: code(kind, states=("published",)) for kind in waits} == dict.fromkeys(waits, 3)
    for kind in set(Kind) - waits:
        assert code(kind, Kind.HELD) == 1
    assert code(states=("failed",)) == code(faults={"sweep": "UNEXPECTED"}) == code(selftest="no") == 1
    assert summary.headline({"selftest": "passed", "batches": [], "waiting": []}) == "nothing waits"


def test_each_command_that_is_advised_is_one(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in Kind:
        for command in re.findall(r"sluicegate ([a-z]+(?: [a-z]+)?)", waiting.Waits(kind, "X").to_do):
            words = command.split()[: 2 if command.split()[0] in ("review", "recall", "instruments") else 1]
            assert main.run([*words, "--help"]) == 0
    capsys.readouterr()


def test_status_shows_what_waits(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    (installation.submit(installation.home.inbox / "first", [installations.request(1)]) / SIGNATURE).unlink()
    old = 1_700_000_000
    for path in (installation.home.inbox / "first").rglob("*"):
        os.utime(path, (old, old))
    assert main.run(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["waiting"] == []  # nobody can set when a file was changed here
    installation.submit(installation.home.inbox / "second", [installations.request(2)])
    assert main.run(["status"]) == 0
    assert "Not read: s-" in (said := capsys.readouterr().out) and "(folder second)" in said


def test_a_look_reads_no_batch_that_has_ended(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Years of them are there, and somebody looks each second."""
    from flows.batch.receive import receive
    from flows.cli.live import Look
    from flows.ledger.lifecycles.states import FINAL, State
    from flows.schedule import due, sweep

    folder = installation.submit(installation.home.inbox / "one", [installations.request(1)])
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        batch = receive(installation.home, ledger, ledger.clock, folder)
    real = Ledger.batches

    def batches(self: Ledger, *states: State) -> Any:
        assert states and not FINAL & set(states)
        return real(self, *states)

    monkeypatch.setattr(Ledger, "batches", batches)
    assert [one.batch for one in due.due(installation.home) if one.id == one.batch] == [batch]
    assert kinds(installation) == ["failed"] and "1 received" in Look(installation.home).line
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        assert sweep.due(installation.home, ledger) == []
