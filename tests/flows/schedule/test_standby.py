"""A child that stands by: the next run is its own, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from flows.schedule import warm
from tests.factories import installations
from tests.flows.schedule.test_warm import await_end, said, started

WAIT = ("tests.factories.telling", "wait")


def children(parent: int) -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}


def standing_by(parent: int) -> int:
    """The one child that it has while nothing runs."""
    end = time.monotonic() + 20
    while True:
        found = children(parent)
        if len(found) == 1:
            return min(found)
        assert time.monotonic() < end, found
        time.sleep(0.05)


def parent_of(child: int) -> int:
    return int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[1])


@pytest.mark.slow
def test_the_child_that_stood_by_runs_what_is_asked_and_another_follows(tmp_path: Path) -> None:
    made = installations.make(tmp_path / "home")
    with warm.kept(made.home):
        with started(made.home.root, *WAIT) as process:
            first = int(said(process).split()[-1])
            parent = parent_of(first)
            with started(made.home.root, *WAIT) as beside:  # none stands by: it is forked as it is asked for
                second = int(said(beside).split()[-1])
                assert children(parent) == {first, second}
        waiting = standing_by(parent)
        with started(made.home.root, "tests.factories.telling", "7", CANARY_OF_TEST="seen") as process:
            assert said(process) == f"{made.home.root} seen warm" and process.wait(10) == 7
        await_end(waiting)
        waiting = standing_by(parent)
        with started(made.home.root, *WAIT) as process:
            assert int(said(process).split()[-1]) == waiting
    await_end(parent)
    await_end(waiting)


@pytest.mark.slow
def test_one_that_was_killed_is_missed_by_nobody(tmp_path: Path) -> None:
    made = installations.make(tmp_path / "home")
    with warm.kept(made.home):
        with started(made.home.root, *WAIT) as process:
            parent = parent_of(int(said(process).split()[-1]))
        for number in (signal.SIGKILL, signal.SIGSTOP):  # one that is stopped does not answer, and is killed
            waiting = standing_by(parent)
            os.kill(waiting, number)
            with started(made.home.root, *WAIT) as process:
                assert int(said(process).split()[-1]) != waiting or number == signal.SIGSTOP
    await_end(parent)


@pytest.mark.slow
def test_it_ends_with_the_process_that_forked_it(tmp_path: Path) -> None:
    made = installations.make(tmp_path / "home")
    with warm.kept(made.home):
        with started(made.home.root, *WAIT) as process:
            parent = parent_of(int(said(process).split()[-1]))
        waiting = standing_by(parent)
        os.kill(parent, signal.SIGKILL)
        await_end(waiting)
