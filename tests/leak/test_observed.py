"""A whole night with every observer that there is, and canaries in names, values, file names and folder names: what is
logged as JSON, measured, traced and sent as lineage; then a real Prometheus that asks all that the dashboard asks."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.factories import installations, observed
from tests.factories.receiver import Receiver, receiver
from tests.infra.test_grafana import FOLDER, expressions, named
from tests.leak.test_canaries import CANARY, good, leaks, spoilt
from tests.test_readme import OURS, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Night:
    environment: dict[str, str]
    code: int
    log: bytes
    got: Receiver


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("night")
    made = installations.make(folder / "home")
    spoiled, _, _ = installations.SPOILED["unknown person"]
    rows = [*(installations.request(n) for n in range(1, 36)), installations.request(70, **spoiled)]
    inbox = made.home.inbox
    made.submit(inbox / f"{CANARY} released", rows)
    made.submit(inbox / f"{CANARY} held", [good(n) for n in range(36, 45)] + [spoilt(n) for n in range(10)])
    letter = made.submit(inbox / f"{CANARY} unreadable", [good(46)])
    (letter / "letter.toml").write_text(f'requester = ["{CANARY}"\n')
    with receiver() as got:
        with (made.home.root / "sluicegate.toml").open("a") as settings:
            settings.write(f'[telemetry]\notlp = "{got.url}"\n[lineage]\nurl = "{got.url}"\n')
            settings.write(f'[log]\nformat = "json"\nto = "{got.url}"\n')
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_") and k not in OURS}
        environment |= {"SLUICEGATE_HOME": str(made.home.root), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "flows.cli.main", "nightly", "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, timeout=300, check=False)
        yield Night(environment, done.returncode, done.stderr, got)


def test_the_log_is_json_with_ids_and_no_value_or_folder(night: Night) -> None:
    lines = [json.loads(line) for line in night.log.decode().splitlines()]
    assert night.code == 3, night.log
    ends = {line["state"]: line["codes"] for line in lines if line["event"] == "run.ended"}
    assert ends == {"published": [], "held": ["TOO_MANY_INCOMPLETE"]}
    steps = [line for line in lines if line["event"] == "step.ended"]
    assert len(steps) == 12 and all(line["batch"] and line["ledger_event"] for line in steps)
    assert [line["exit_code"] for line in lines if line["event"] == "night.ended"] == [3]
    assert {line["event"] for line in lines} == {"run.began", "step.ended", "run.ended", "night.ended"}
    assert leaks(night.log) == []


def test_traces_and_lineage_hold_no_value_or_folder(night: Night) -> None:
    assert [span.name for span in observed.spans(night.got)].count("batch") == 2
    assert {one["eventType"] for one in observed.lineage(night.got)} == {"START", "COMPLETE", "FAIL"}
    assert [leaks(body) for _, body in night.got.raw if leaks(body)] == []


def test_the_log_that_goes_to_another_system_holds_no_value_or_folder(night: Night) -> None:
    sent = [body for path, body in night.got.raw if path == "/v1/logs"]
    said = b"".join(sent)
    assert b"sluicegate.ledger.received" in said and b"sluicegate.step.ended" in said
    assert leaks(said) == []


@contextmanager
def process(command: list[str], environment: dict[str, str], cwd: Path, asked: str) -> Iterator[None]:
    """A process that serves, once it answers."""
    running = subprocess.Popen(command, env=environment, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and running.poll() is None:
            try:
                get(asked)
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        running.terminate()
        assert running.wait(20) is not None


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        body: bytes = answer.read()
        return body


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.outside
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_a_real_prometheus_finds_every_metric_of_the_dashboard(night: Night, tmp_path: Path) -> None:
    ours, theirs = port(), port()
    endpoint, api = f"http://127.0.0.1:{ours}/metrics", f"http://127.0.0.1:{theirs}/api/v1"
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    config["global"]["scrape_interval"] = "1s"
    config["rule_files"] = [str(FOLDER / "alerts.yaml")]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{ours}"]
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config))
    serve = [sys.executable, "-m", "flows.cli.main", "metrics", "--port", str(ours)]
    prometheus = ["prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data"]
    prometheus.append(f"--web.listen-address=127.0.0.1:{theirs}")
    with process(serve, night.environment, tmp_path, endpoint):
        shown = get(endpoint)
        assert leaks(shown) == []
        series = {line.split("{")[0].split(" ")[0] for line in shown.decode().splitlines() if line[0] != "#"}
        assert set().union(*map(named, expressions())) - series == set()
        with process(prometheus, night.environment, tmp_path, f"{api}/status/config"):
            await_value(f"{api}/query?query=sluicegate_readable")
            for said in expressions():
                answer = json.loads(get(f"{api}/query?{urllib.parse.urlencode({'query': said})}"))
                assert answer["status"] == "success", said
            waits = await_value(f"{api}/query?query=sluicegate_waiting%3E0")
            assert {one["metric"]["kind"]: one["value"][1] for one in waits} == {"held": "1", "unreadable": "1"}
            ended = json.loads(get(f"{api}/query?query=sluicegate_night_exit_code"))["data"]["result"]
            assert [one["value"][1] for one in ended] == ["3"]


def await_value(url: str) -> list[dict[str, Any]]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found: list[dict[str, Any]] = json.loads(get(url))["data"]["result"]
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"no value at {url}")
