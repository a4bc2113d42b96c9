"""Runs that are forked from a warm process: as if each had been started by itself, and none takes another with it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.home.tree import Home
from flows.schedule import warm
from tests.factories import installations
from tests.factories.installations import Installation

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = installations.make(tmp_path_factory.mktemp("a" * 90) / "home")  # longer than the address of a socket may be
    with warm.kept(made.home):
        assert warm.answers(made.home)
        yield made
    assert not warm.answers(made.home)


@pytest.fixture
def home(installation: Installation) -> Home:
    return installation.home


@contextmanager
def started(root: Path, *wanted: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """What the engine is told to run, in a folder of its own, with its output in a pipe."""
    paths = os.pathsep.join(filter(None, (str(ROOT), str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    given = {**os.environ, "PYTHONPATH": paths, "SLUICEGATE_HOME": str(root), **environment}
    command = [sys.executable, "-m", "flows.schedule.engine", *wanted]
    with subprocess.Popen(command, env=given, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def await_end(pid: int) -> None:
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_output_folder_environment_and_exit_code_are_the_starters(home: Home) -> None:
    with started(home.root, "tests.factories.telling", "7", CANARY_OF_TEST="seen") as process:
        assert said(process) == f"{home.root} seen warm"
        assert process.wait(10) == 7


@pytest.mark.slow
def test_a_run_that_has_used_databases_ends_by_itself(home: Home) -> None:
    for _ in range(2):
        with started(home.root, "tests.factories.telling", "databases") as process:
            assert said(process) == "42"
            assert process.wait(10) == 7


@pytest.mark.slow
def test_what_is_killed_takes_nothing_with_it(home: Home) -> None:
    wanted = ("tests.factories.telling", "wait")
    with (
        started(home.root, *wanted) as first,
        started(home.root, *wanted) as second,
        started(home.root, *wanted) as third,
    ):
        pids = [int(said(process).split()[-1]) for process in (first, second, third)]
        os.kill(pids[0], signal.SIGKILL)
        assert first.wait(10) == -signal.SIGKILL  # as a process of its own would have ended
        second.kill()  # its starter
        await_end(pids[1])
        assert Path(f"/proc/{pids[2]}").exists()
        third.terminate()
        assert third.wait(10) == 15  # the run has caught the signal, and ended by itself
        await_end(pids[2])
    assert warm.answers(home)


@pytest.mark.slow
def test_if_the_warm_process_dies_so_do_its_runs(tmp_path: Path) -> None:
    made = installations.make(tmp_path / "home")
    with warm.kept(made.home), started(made.home.root, "tests.factories.telling", "wait") as process:
        run = int(said(process).split()[-1])
        parent = int(Path(f"/proc/{run}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(parent, signal.SIGKILL)
        assert process.wait(10) == 1
        await_end(run)


@pytest.mark.slow
def test_one_that_hangs_up_is_none(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "prefect" / "warm.sock"))
        listening.listen()
        threading.Thread(target=lambda: listening.accept()[0].close(), daemon=True).start()
        with started(tmp_path, "tests.factories.telling", "7", CANARY_OF_TEST="seen") as process:
            assert said(process) == f"{tmp_path} seen cold" and process.wait(30) == 7


@pytest.mark.slow
def test_without_a_warm_process_a_run_begins_from_scratch(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    with started(tmp_path, "tests.factories.telling", "7", CANARY_OF_TEST="seen") as process:
        assert said(process) == f"{tmp_path} seen cold" and process.wait(30) == 7


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can try it as another user")
def test_another_user_is_refused(home: Home) -> None:
    socket_path = home.root / "prefect" / "warm.sock"
    assert socket_path.stat().st_mode & 0o077 == 0
    program = "import os, socket, sys; os.chdir(sys.argv[1]); os.setuid(65534); s = socket.socket(socket.AF_UNIX)\n"
    program += "try: s.connect('warm.sock')\nexcept PermissionError: sys.exit(9)"
    assert subprocess.run([sys.executable, "-c", program, str(socket_path.parent)], check=False).returncode == 9


@pytest.mark.slow
def test_a_submission_is_run_as_by_a_command_of_its_own(installation: Installation) -> None:
    folder = installation.submit(installation.home.inbox / "one", installations.mixed())
    with started(installation.home.root, "flows.cli.main", "run", str(folder), "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["state"] == "published"
        assert process.wait(10) == 0
