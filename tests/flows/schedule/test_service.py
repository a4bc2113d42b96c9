"""The service on one machine: up by one command, it does by itself what waits, and down by one."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from flows.cli import main
from flows.ledger import Ledger
from flows.schedule import service
from flows.schedule.running import address, running
from tests.factories import installations
from tests.factories.installations import Installation


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    made = installations.make(tmp_path / "home")
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    with installations.at_home(made.home):
        yield made
        main.run(["down"])


def port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_up_runs_what_waits_and_down_leaves_nothing(
    installation: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, free, measured = installation.home, port(), port()
    with (home.root / "sluicegate.toml").open("a") as settings:
        settings.write(f"[telemetry]\nprometheus_port = {measured}\n")
    spoiled, _, _ = installations.SPOILED["unknown person"]
    rows = [*(installations.request(n) for n in range(1, 36)), installations.request(70, **spoiled)]
    installation.submit(home.inbox / "first", rows)
    assert main.run(["up", "--port", free, "--json"]) == 0
    capsys.readouterr()
    assert [(one.name, one.lives) for one in running(home)] == [(part, True) for part in service.PARTS]
    end = time.monotonic() + 200
    while _states(installation) != ["published"]:
        assert time.monotonic() < end, _states(installation)
        time.sleep(0.5)
    assert address(home) == f"http://127.0.0.1:{free}/api"
    with urllib.request.urlopen(f"http://127.0.0.1:{measured}/metrics", timeout=20) as answer:
        shown = answer.read().decode()
    assert 'sluicegate_batches_total{agreement="sandbox-2026",state="published"} 1.0' in shown
    assert all(f'sluicegate_service_up{{part="{part}"}} 1.0' in shown for part in ("server", "worker", "relay"))
    # what has died is started again, and what runs is left alone
    before = {one.name: one.pid for one in running(home)}
    os.kill(before["relay"], signal.SIGKILL)
    while all(one.lives for one in running(home)):
        time.sleep(0.1)
    assert main.run(["status"]) == 0
    assert "warm runs, worker runs, relay has stopped, metrics runs." in " ".join(capsys.readouterr().out.split())
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert main.run(["up", "--port", free]) == 0
    after = {one.name: one.pid for one in running(home)}
    assert after["server"] == before["server"] and after["relay"] != before["relay"]
    capsys.readouterr()
    assert main.run(["down", "--json"]) == 0
    assert [part["runs"] for part in json.loads(capsys.readouterr().out)] == [False] * len(service.PARTS)
    assert running(home) == [] and address(home) is None


def _states(installation: Installation) -> list[str]:
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        return [record.state.value for record in ledger.batches()]


def test_another_server_is_not_put_aside(
    installation: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert main.run(["up", "--port", port()]) == 2
    assert "ANOTHER_SERVER" in capsys.readouterr().err and running(installation.home) == []
    assert main.run(["down"]) == 0
