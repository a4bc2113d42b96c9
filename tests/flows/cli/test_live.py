"""`sluicegate status --watch`: drawn anew on a terminal, a line at each change elsewhere."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from expectations.base.clock import Clock
from expectations.base.errors import Transient
from flows.cli import live, main
from flows.home.tree import Home, make_tree
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint
from flows.schedule.things import Waits
from tests.factories import full_ledger, installations
from tests.factories.ledgers import receive, sha
from tests.factories.paths import ROOT


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = make_tree(tmp_path_factory.mktemp("live") / "home", {"sandbox": True})
    with Ledger.open(made.ledger_url, Clock()) as ledger:
        full_ledger.fill(ledger, made.root)
    with installations.at_home(made):
        yield made


def drawn(home: Home) -> str:
    shown = Console(file=io.StringIO(), width=live.WIDTH)
    shown.print(live.Look(home).drawn())
    return str(shown.file.getvalue())  # type: ignore[attr-defined]


def test_it_shows_what_waits_and_what_is_under_way_in_80_columns(home: Home) -> None:
    text = drawn(home)
    assert max(map(len, text.splitlines())) <= live.WIDTH
    assert "held" in text and "failed" in text
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        (name,) = [record.name for record in ledger.batches() if record.state == "failed"]
    assert name in text and "published" in text


def test_elsewhere_there_is_a_line_at_each_change(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, real = 0, live.looked

    def looked(of: Home) -> tuple[datetime, list[Waits]]:
        nonlocal looks
        looks += 1
        if looks == 3:
            with Ledger.open(home.ledger_url, Clock()) as ledger:
                receive(ledger, "another")
                ledger.hold("another", Checkpoint.INTAKE, sha("a"), ["TOO_MANY_INCOMPLETE"])
        return real(of)

    monkeypatch.setattr(live, "looked", looked)
    assert live.watch(home, every=0, times=6) == 0
    first, second = capsys.readouterr().out.splitlines()
    held = int(first.split(" held")[0].rpartition(" ")[2])
    assert f"{held + 1} held" in second and looks == 6


def test_a_look_that_fails_is_said_and_the_next_one_follows(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, errors = live.looked, iter([Transient("LEDGER_BUSY", "the ledger is busy"), None])

    def sometimes(of: Home) -> tuple[datetime, list[Waits]]:
        if (error := next(errors)) is not None:
            raise error
        return looked(of)

    monkeypatch.setattr(live, "looked", sometimes)
    assert live.watch(home, every=0, times=2) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "cannot be read now: " in first and "LEDGER_BUSY" in first and "held" in second


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(days=2, hours=3), "2 d 3 h"),
        (-timedelta(hours=1), "0 min"),
        (None, ""),
    ],
)
def test_times_are_said_in_two_units(span: timedelta | None, said: str) -> None:
    assert live.lasted(span) == said


def test_it_shows_everything_to_people(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["status", "--watch", "--json"]) == main.run(["status", "batch-1", "--watch"]) == 2
    assert capsys.readouterr().err.count("WATCHES_ALL") == 2


@pytest.mark.slow
def test_ctrl_c_ends_it_on_a_terminal(home: Home) -> None:
    """As a process on a terminal of its own."""
    ours, theirs = os.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-m", "flows.cli.main", "status", "--watch"]
    process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said, end = b"", time.monotonic() + 60
    while said.count(b"Ctrl-C ends this") < 2 and time.monotonic() < end:
        said += os.read(ours, 65536)
    process.send_signal(signal.SIGINT)
    while process.poll() is None and time.monotonic() < end + 20:  # its last words fit into no pipe that nobody reads
        with suppress(OSError):
            said += os.read(ours, 65536)
    assert process.wait(20) == 0, said
    assert said.count(b"Ctrl-C ends this") >= 2 and b"fault" not in said
    os.close(ours)
