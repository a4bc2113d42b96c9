"""Backups on a schedule: made, kept for as long as is said, and told of when they are missing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import Usage
from flows.cli import main
from flows.home.tree import Home
from flows.operations import doctor, kept
from flows.schedule import waiting
from flows.schedule.upkeep import backup_flow
from tests.factories import backups, installations
from tests.factories.backups import Recovery, opened


@pytest.fixture
def key(tmp_path: Path) -> Recovery:
    return backups.recovery(tmp_path)


@pytest.fixture
def home(tmp_path: Path, key: Recovery) -> Home:
    made = installations.make(tmp_path / "home").home
    lines = f'folder = "{tmp_path / "made"}"', "keep = 2", "hours = 10"
    path = made.root / "sluicegate.toml"
    path.write_text(f'recovery = ["{key.recipient}"]\n{path.read_text()}\n[backups]\n' + "\n".join(lines) + "\n")
    return backups.open_home(made.root)


def waits(home: Home, hours: float = 0) -> list[str]:
    clock = Clock(Clock().now() + timedelta(hours=hours), pretended=True)
    with backups.Ledger.open(home.ledger_url, clock) as ledger:
        return [one.kind.value for one in waiting.everything(home, ledger)]


def test_only_the_newest_are_kept_and_nothing_else_is_touched(home: Home, tmp_path: Path) -> None:
    place = tmp_path / "made"
    place.mkdir()
    others = [place / "sluicegate-20260101T000000000000Z.backup.age.old", place / "notes", place / ".hidden"]
    for other in others:
        other.write_text("somebody's")
    with opened(home) as ledger:
        paths = [kept.take(home, ledger).path for _ in range(4)]
    assert [path.exists() for path in paths] == [False, False, True, True]
    assert all(other.exists() for other in others)
    newest = kept.newest(home)
    assert newest is not None and f"{newest:%Y%m%dT%H%M%S%f}" in paths[-1].name


def test_it_waits_from_when_none_is_young_enough(home: Home, tmp_path: Path) -> None:
    assert waits(home) == ["no backup"]  # none yet
    with opened(home) as ledger:
        kept.take(home, ledger)
    assert (waits(home), waits(home, 9.9), waits(home, 10.1)) == ([], [], ["no backup"])
    (tmp_path / "made").rename(tmp_path / "not mounted")
    assert waits(home) == ["no backup"]


def test_one_of_the_future_vouches_for_nothing(home: Home, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    for day in (1, 2, 3):
        (tmp_path / "made" / f"sluicegate-2999010{day}T000000000000Z.backup.age").write_text("of a wrong clock")
    assert waits(home) == ["no backup"]
    with opened(home) as ledger:
        assert kept.take(home, ledger).path.exists()


def test_nothing_waits_where_no_folder_is_named(tmp_path: Path) -> None:
    home = installations.make(tmp_path / "home").home
    assert waits(home, 1_000) == []
    with pytest.raises(Usage, match="NO_BACKUP_FOLDER"):
        kept.folder(home)


def test_the_command_takes_the_folder_that_is_named(home: Home, tmp_path: Path) -> None:
    with installations.at_home(home):
        assert main.run(["backup"]) == 0
        assert len(list((tmp_path / "made").iterdir())) == 1


@pytest.mark.slow
def test_the_flow_says_what_was_made(home: Home, tmp_path: Path) -> None:
    def ended(root: Path) -> tuple[str, str]:
        state = backup_flow(str(root), return_state=True)
        return state.name, state.message

    name, message = ended(home.root)
    assert name == "Completed" and message.startswith("made ") and str(tmp_path) not in message
    with opened(home) as ledger:
        backups.refused(home, ledger, "b-2")
    (home.root / "accounting" / "b-2.parquet.age").write_bytes(b"another")
    name, message = ended(home.root)
    assert name == "Differs" and message.startswith("files in it that are not what the ledger says: 1")
    plain = installations.make(tmp_path / "plain").home
    assert ended(plain.root)[0] == "NoFolder"


def test_doctor_says_whether_any_is_made(home: Home, tmp_path: Path) -> None:
    def found(where: Home) -> list[tuple[str, str]]:
        with installations.at_home(where):
            return [
                (one.level, one.what) for one in doctor.examine() if "backup" in one.what or "recovery key" in one.what
            ]

    sealed, scheduled = ("ok", "recovery keys that backups are sealed to: 1"), ("ok", "backups are made on a schedule")
    assert found(home) == [sealed, scheduled, ("warn", "there is no backup")]
    with opened(home) as ledger:
        kept.take(home, ledger)
    (level, what) = found(home)[-1]
    assert level == "ok" and what.startswith("the newest backup is of 2")
    path = installations.make(tmp_path / "plain").home.root / "sluicegate.toml"
    path.write_text(path.read_text().replace("sandbox = true", "sandbox = false"))
    assert [level for level, _ in found(backups.open_home(path.parent))] == ["warn", "warn"]
