"""A full count goes on where it was stopped."""

from __future__ import annotations

from pathlib import Path

from tests.faults.counted import Counted


def test_what_is_done_is_there_after_a_stop(tmp_path: Path) -> None:
    first, other = Counted("kills", "run", tmp_path), Counted("kills", "enrol", tmp_path)
    first.add(killed=1)
    other.add(killed=0)
    first.add(killed=0)
    again = Counted("kills", "run", tmp_path)
    assert [line["killed"] for line in again.lines] == [1, 0]
    assert all(line["commit"] for line in again.lines)
    assert Counted("cuts", "run", tmp_path).lines == []


def test_a_seeded_share_keeps_nothing(tmp_path: Path) -> None:
    Counted("kills", "run", None).add(killed=1)
    assert list(tmp_path.iterdir()) == []
    assert Counted("kills", "run", None).lines == []
