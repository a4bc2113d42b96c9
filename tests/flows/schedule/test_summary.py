"""What a night says of the nights before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.home.tree import Config, Home
from flows.schedule import summary as summaries

NIGHT = datetime(2026, 11, 1, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(root=tmp_path, config=Config())


def night(home: Home, at: datetime, *, ends: bool = True) -> dict[str, Any]:
    summary = summaries.begin(home, at) | {"selftest": summaries.PASSED, "batches": [], "waiting": []}
    if ends:
        summaries.store(home, summary)
    return summary


def test_each_day_a_night_says_nothing_of_the_others(home: Home) -> None:
    for n in range(3):
        assert summaries.headline(night(home, NIGHT + n * DAY)) == "nothing waits"


def test_a_night_that_is_missing_is_said_once(home: Home) -> None:
    night(home, NIGHT)
    late = night(home, NIGHT + 3 * DAY)
    assert summaries.headline(late) == "nothing waits; no night had ended since 2026-11-01 01:30"
    assert summaries.exit_code(late) == 0  # nothing waits for anybody
    assert summaries.headline(night(home, NIGHT + 4 * DAY)) == "nothing waits"


def test_a_night_that_broke_off_is_said_by_the_next(home: Home) -> None:
    night(home, NIGHT, ends=False)
    after = night(home, NIGHT + DAY)
    assert summaries.headline(after) == "nothing waits; the night of 2026-11-01 01:30 broke off"
    assert summaries.headline(night(home, NIGHT + 2 * DAY)) == "nothing waits"


def test_a_batch_that_failed_and_was_started_again_is_said(home: Home) -> None:
    """It no longer waits when the night ends: the night must not end as failed and say that all is well."""
    batches = [["", "b-1", "failed", []], ["", "b-2", "failed", []], ["", "b-3", "published", []]]
    batches += [["folder", None, "failed", ["DISK_FULL"]], ["another", None, "failed", ["DISK_FULL"]]]
    waiting = [{"kind": "failed", "id": "b-2", "late": False}]
    waiting += [{"kind": "not read", "id": "s-1", "late": False, "folder": "another"}]
    summary = night(home, NIGHT, ends=False) | {"batches": batches, "waiting": waiting}
    assert summaries.started_again(summary) == ["b-1", "a submission"]
    assert summaries.headline(summary) == "1 failed; 1 not read; 2 failed, and started again"
    assert summaries.headline(summary | {"waiting": []}) == "4 failed, and started again"
    assert summaries.exit_code(summary | {"waiting": []}) == 1
