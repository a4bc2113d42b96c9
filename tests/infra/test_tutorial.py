"""The tutorial as a reader goes through it: its `bash` blocks, in order, in one environment, with a real server.

Where it says to wait, the test waits; the ends are then looked up over Prefect's API.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories.paths import ROOT

PAGE = (ROOT / "infra/docs/tutorial.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", PAGE, re.M))
READY = "make setup\nsource .venv/bin/activate\n"  # what `make test` has done before any test runs
DEPLOYED = {"backup", "batch", "gates", "lookback", "nightly", "notify", "recalls", "register", "signed-head"}


class Reader:
    """Someone at a terminal: variables and the folder stay from one block to the next."""

    def __init__(self, folder: Path) -> None:
        self.after = folder / "after"
        bare = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "SLUICEGATE_"))}
        paths = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        self.environment = {**bare, **paths, "TMPDIR": str(folder), "PREFECT_HOME": str(folder / "profile")}
        self.folder = ROOT
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])

    def types(self, block: str) -> str:
        """Runs a block and gives what it printed; each of its commands must end well."""
        said = re.sub(r"\b4200\b", self.port, block.replace(READY, ""))
        if "b-..." in said:
            said = said.replace("b-...", next(name for name, state in self.states().items() if state == "held"))
        script = f"set -euo pipefail\n{said}\nenv -0 > {self.after}\npwd >> {self.after}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, f"{said}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        *variables, folder = self.after.read_text().split("\0")
        self.environment, self.folder = dict(one.split("=", 1) for one in variables), Path(folder.strip())
        return done.stdout

    def states(self) -> dict[str, str]:
        with sqlite3.connect(self.folder / ".sluicegate" / "ledger.db") as ledger:
            return dict(ledger.execute("SELECT name, state FROM batches").fetchall())

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """Its runs that did not only wait for their time, by Prefect's own account, the first first."""
        asked = {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return [run for run in self.api("flow_runs", asked) if run["state_type"] != "SCHEDULED"]

    def api(self, what: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self.port}/api/{what}/filter"
        head = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), head), timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    subprocess.run([sys.executable, "-m", "flows.cli.main", "down"], cwd=made.folder, env=made.environment, timeout=300)


def wait(until: Callable[[], bool], shown: Callable[[], object], seconds: float = 400) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, shown()
        time.sleep(0.5)


def goes_on(reader: Reader, heading: str) -> str:
    return "".join(reader.types(block) for block in re.findall(r"```bash\n(.*?)```", SECTIONS[heading], re.S))


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_tutorial_does_what_it_says(reader: Reader) -> None:
    assert list(SECTIONS) == [*GOES, "Then"] and READY in SECTIONS["Install"]
    for heading, ends in GOES.items():
        printed = goes_on(reader, heading)
        ends(reader, printed)


def _installed(reader: Reader, _: str) -> None:
    assert reader.folder != ROOT and not list(reader.folder.iterdir())


def _home(reader: Reader, printed: str) -> None:
    assert "20,000 persons" in printed and (reader.folder / ".sluicegate" / "keys" / "operator-2").exists()


def _started(reader: Reader, printed: str) -> None:
    assert "nightly/nightly" in printed
    found = {one["name"]: one for one in reader.api("deployments", {})}
    (night,) = found["nightly"]["schedules"]
    assert set(found) == DEPLOYED and night["active"] and night["schedule"]["cron"] == "30 1 * * *"
    assert night["schedule"]["timezone"] == "America/New_York"
    assert [pool["name"] for pool in reader.api("work_pools", {})] == ["sluicegate"]


def _submitted(reader: Reader, _: str) -> None:
    wait(lambda: sorted(reader.states().values()) == ["held", "published"], reader.states)
    wait(lambda: _ended(reader, "batch") == ["Completed", "Held"], lambda: _ended(reader, "batch"))
    held = next(name for name, state in reader.states().items() if state == "held")
    said = [one["data"] for one in reader.api("artifacts", {}) if held in one["data"]]
    assert any("%" in text and "10" in text for text in said), said


def _night(reader: Reader, _: str) -> None:
    wait(lambda: _ended(reader, "nightly") == ["Held"], lambda: _ended(reader, "nightly"))
    held = next(name for name, state in reader.states().items() if state == "held")
    (summary,) = [one["data"] for one in reader.api("artifacts", {}) if one["key"] == "nightly"]
    assert held in summary
    # the next one comes by itself
    planned = reader.api("flow_runs", {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}})
    assert [run for run in planned if "nightly" in run["tags"]]


def _decided(reader: Reader, printed: str) -> None:
    assert "waits for a second, different operator" in printed
    wait(lambda: set(reader.states().values()) == {"published"}, reader.states)
    wait(lambda: _ended(reader, "batch") == ["Completed", "Completed", "Held"], lambda: _ended(reader, "batch"))


def _left(reader: Reader, printed: str) -> None:
    assert "0 problems" in printed
    outbox = reader.folder / ".sluicegate" / "outbox"
    assert sorted(reader.states()) == sorted(p.name for p in outbox.iterdir() if p.name.startswith("b-"))


def _stopped(reader: Reader, _: str) -> None:
    with pytest.raises(OSError):
        reader.api("deployments", {})


def _ended(reader: Reader, flow: str) -> list[str]:
    return sorted(run["state_name"] for run in reader.runs(flow))


# Each section with commands, and what must be true after it
GOES: dict[str, Callable[[Reader, str], None]] = {
    "Install": _installed,
    "A home and a register": _home,
    "Start the service": _started,
    "Two submissions": _submitted,
    "A night": _night,
    "A decision": _decided,
    "What left": _left,
    "Stop": _stopped,
}
