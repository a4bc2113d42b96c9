"""The deployments of `infra/prefect.yaml` on a real server, deployed and run from a folder beside the project."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import yaml

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.digests import of_bytes
from flows.batch.decisions import sign
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.states import State
from tests.factories import installations, prefect_server
from tests.factories.installations import Installation
from tests.factories.prefect_server import ROOT, Service

FILE = ROOT / "infra" / "prefect.yaml"
DECLARED = {
    one["name"]: one for one in yaml.safe_load(FILE.read_text().replace("{{", "").replace("}}", ""))["deployments"]
}

ASKED_FOR = ("batch", "notify")  # by an event, or by somebody: never by the clock
UNDER_WAY = (State.RECEIVED, State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED, State.PREPARED)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installations.make(tmp_path_factory.mktemp("deployed") / "home")


@pytest.fixture(scope="module")
def running(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server with everything deployed, and a worker."""
    with prefect_server.service(tmp_path_factory.mktemp("elsewhere"), installation.home.root) as found:
        found.prefect("work-pool", "create", "sluicegate", "--type", "process")
        found.prefect("deploy", "--all", "--prefect-file", str(FILE))
        found.start("worker", "start", "--pool", "sluicegate", "--limit", "2")
        yield found


def api(service: Service, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the server answers; a busy one (503) is asked again, as Prefect's own client does."""
    with httpx.Client(base_url=service.url, timeout=30) as client:
        for pause in (1, 2, 4, 8, 16, 0):
            answer = client.get(path) if body is None else client.post(path, json=body)
            if answer.status_code != 503:
                break
            time.sleep(pause)
    answer.raise_for_status()
    return answer.json()


def deployment(service: Service, name: str) -> dict[str, Any]:
    (found,) = (one for one in api(service, "/deployments/filter", {}) if one["name"] == name)
    return dict(found)


def ended(service: Service, name: str, **parameters: Any) -> dict[str, Any]:
    """The run of a deployment that was asked for, once it has ended."""
    id = deployment(service, name)["id"]
    run = api(service, f"/deployments/{id}/create_flow_run", {"state": {"type": "SCHEDULED"}, "parameters": parameters})
    end = time.monotonic() + 240
    while time.monotonic() < end:
        found = api(service, f"/flow_runs/{run['id']}")
        if found["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return dict(found)
        time.sleep(0.5)
    raise AssertionError((found["state"], (service.folder / "service.log").read_text()[-4000:]))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_deployment_is_there_as_it_was_declared(running: Service, installation: Installation) -> None:
    found = {one["name"]: one for one in api(running, "/deployments/filter", {})}
    assert found.keys() == DECLARED.keys()
    for name, one in found.items():
        assert not one["pull_steps"] and one["description"] and "sluicegate" in one["tags"], name
        assert one["job_variables"]["env"]["SLUICEGATE_HOME"] == str(installation.home.root)
        assert (one["concurrency_options"] or {}).get("collision_strategy") == (
            None if name in ASKED_FOR else "CANCEL_NEW"
        )
        assert len(one["schedules"]) == (0 if name in ASKED_FOR else 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_night_and_a_batch_run_on_the_worker_and_end_by_what_is_there(
    running: Service, installation: Installation
) -> None:
    inbox = installation.home.inbox
    assert ended(running, "signed-head")["state"]["name"] == "Completed"
    rows = [
        *(installations.request(n) for n in range(1, 36)),
        installations.request(70, request_id="S", last_name="No"),
    ]
    folder = installation.submit(inbox / "Zebulon Quackenbush", rows)
    one = ended(running, "batch", batch=f"s-{of_bytes(folder.name.encode())[:12]}")
    assert (one["state"]["name"], one["name"][:2]) == ("Completed", "b-"), one["state"]
    installation.submit(
        inbox / "held", [installations.request(n, request_id=f"H-{n}", street="UNKNOWN") for n in range(40, 44)]
    )
    night = ended(running, "nightly")
    assert (night["state"]["name"], night["state"]["message"]) == ("Held", "1 held")
    runs = api(running, "/flow_runs/filter", {})
    assert "Quackenbush" not in json.dumps(runs)
    summaries = sorted((installation.home.root / "nightly").glob("*.json"))
    assert [b[2] for b in json.loads(summaries[-1].read_text())["batches"]] == ["held"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_relay_knows_for_whom_runs_are_that_have_not_ended(running: Service) -> None:
    def asked() -> list[str]:
        command = [sys.executable, "-c", "from flows.schedule import relay; print(*relay._asked())"]
        done = subprocess.run(command, env=running.environment, capture_output=True, text=True, check=True)
        return done.stdout.split()

    id = deployment(running, "batch")["id"]
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z"}}
    wanted = {"state": later, "parameters": {"batch": "b-later"}}
    run = api(running, f"/deployments/{id}/create_flow_run", wanted)["id"]
    api(running, f"/deployments/{id}/create_flow_run", {**wanted, "parameters": {"batch": "b-last"}})
    assert sorted(asked()) == ["b-last", "b-later"]
    api(running, f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLED"}, "force": True})
    assert asked() == ["b-last"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_second_signature_releases_the_batch_without_another_command(
    running: Service, installation: Installation
) -> None:
    home = installation.home
    with installations.at_home(home):
        relay = subprocess.Popen(
            [sys.executable, "-m", "flows.cli.main", "watch", "--emit", "--every", "0.5"],
            env=running.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
    try:
        assert relay.stdout is not None and relay.stdout.readline().startswith("telling ")
        good = [installations.request(n, request_id=f"G-{n}") for n in range(51, 77)]
        good += [{**stranger(n), "request_id": f"G-{n}"} for n in (77, 78)]  # that everybody is found would be held
        bad = [installations.request(n, request_id=f"B-{n}", street="UNKNOWN") for n in range(79, 89)]
        before = {record.name for record in batches(installation)}
        installation.submit(home.inbox / "Quackenbush again", [*good, *bad])
        (new,) = until(lambda: [b for b in batches(installation) if b.name not in before])
        (held,) = until(lambda: [b for b in batches(installation) if b.name == new.name and b.state not in UNDER_WAY])
        assert (held.state, held.codes) == (State.HELD, ("TOO_MANY_INCOMPLETE",))
        for operator in ("operator-1", "operator-2"):
            sign(home, new.name, Decision.DROP, signatures.load(home.keys / operator))
        begun = time.monotonic()
        until(lambda: [b for b in batches(installation) if b.name == new.name and b.state is State.PUBLISHED])
        print(f"released {time.monotonic() - begun:.1f} s after the second signature")
        expected = {"sluicegate.submission.complete", "sluicegate.batch.decided", "sluicegate.batch.goes_on"}
        # an event triggers at once, and is kept some seconds later
        until(lambda: [1] if expected <= {one["event"] for one in told(running)} else [])
        assert "Quackenbush" not in json.dumps(told(running))
    finally:
        relay.terminate()
        assert relay.wait(30) == 0
        relay.stdout.close()


def told(service: Service) -> list[dict[str, Any]]:
    """Our own events that the server has kept."""
    return list(api(service, "/events/filter", {"filter": {"event": {"prefix": ["sluicegate."]}}})["events"])


def stranger(n: int) -> dict[str, Any]:
    spoiled, _, _ = installations.SPOILED["unknown person"]
    return installations.request(n, **spoiled)


def batches(installation: Installation) -> list[BatchRecord]:
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        return ledger.batches()


def until(look: Callable[[], list[Any]], seconds: float = 180) -> list[Any]:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.3)
    return found


def test_the_file_names_flows_that_are_there() -> None:
    from importlib import import_module

    for one in DECLARED.values():
        module, name = one["entrypoint"].rsplit(".", 1)
        assert hasattr(import_module(module), name)
