"""A child that stands by: the next run is its own, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.schedule import warm
from tests.factories import installations
from tests.flows.schedule.test_warm import await_end, said, started

WAIT = ("tests.factories.telling", "wait")


def children(parent: int) -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}


def standing_by(parent: int, after: int = 0) -> int:
    """The one child that it has while nothing runs, once the one before is gone."""
    end = time.monotonic() + 20
    while len(found := children(parent)) != 1 or after in found:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found.pop()


def parent_of(child: int) -> int:
    return int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[1])


@pytest.fixture
def forking(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A home with a warm process, and that process's number."""
    made = installations.make(tmp_path / "home")
    with warm.kept(made.home):
        with started(made.home.root, *WAIT) as process:
            run = int(said(process).split()[-1])
            parent = parent_of(run)
        standing_by(parent, after=run)
        yield made.home.root, parent
    await_end(parent)


@pytest.mark.slow
def test_the_child_that_stood_by_runs_what_is_asked_and_another_follows(forking: tuple[Path, int]) -> None:
    home, parent = forking
    waiting = standing_by(parent)
    with started(home, *WAIT) as process:
        assert int(said(process).split()[-1]) == waiting
        with started(home, *WAIT) as beside:  # none stands by: it is forked as it is asked for
            second = int(said(beside).split()[-1])
            assert children(parent) == {waiting, second}
    for _ in range(2):
        waiting = standing_by(parent, after=waiting)
        with started(home, "tests.factories.telling", "7", CANARY_OF_TEST="seen") as process:
            assert said(process) == f"{home} seen warm" and process.wait(10) == 7
        await_end(waiting)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_was_killed_is_missed_by_nobody(forking: tuple[Path, int], number: signal.Signals) -> None:
    home, parent = forking
    waiting = standing_by(parent)
    os.kill(waiting, number)
    await_end(waiting)  # whoever is asked in that instant is a run that was killed
    with started(home, *WAIT) as process:
        run = int(said(process).split()[-1])
    assert run != waiting and standing_by(parent, after=run) != waiting  # another, once a run has ended


@pytest.mark.slow
def test_a_signal_that_comes_as_it_is_forked_is_its_own(forking: tuple[Path, int]) -> None:
    """Until it has left what is the parent's behind it, the parent would take the signal for its own, and end."""
    home, parent = forking
    killed: set[int] = set()
    for _ in range(20):
        with started(home, *WAIT) as process:
            assert said(process)
            waiting = children(parent)
        end = time.monotonic() + 20
        while not (new := children(parent) - waiting - killed) and time.monotonic() < end:
            pass  # without a pause: it is to be met in its first instants
        for child in new:
            os.kill(child, signal.SIGTERM)
            await_end(child)
        assert new
        killed |= new
    assert Path(f"/proc/{parent}").exists()


@pytest.mark.slow
def test_it_ends_when_nothing_is_asked_any_more(tmp_path: Path) -> None:
    made = installations.make(tmp_path / "home")
    with warm.kept(made.home), started(made.home.root, *WAIT) as process:
        run = int(said(process).split()[-1])
        parent = parent_of(run)
        process.kill()
        waiting = standing_by(parent, after=run)
    await_end(parent)
    await_end(waiting)


@pytest.mark.slow
def test_it_ends_with_the_process_that_forked_it(forking: tuple[Path, int]) -> None:
    _, parent = forking
    waiting = standing_by(parent)
    os.kill(parent, signal.SIGKILL)
    await_end(waiting)
