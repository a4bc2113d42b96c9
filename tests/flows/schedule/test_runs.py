"""What a run looks like in Prefect: named by batch and step, red where it stopped, and its reason in one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from flows.cli import main
from tests.factories import installations
from tests.factories.installations import Installation

CANARY = "Zebulon Quackenbush 17"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = installations.make(tmp_path_factory.mktemp("runs") / "home")
    with installations.at_home(made.home):
        yield made


def seen(which: dict[str, Any]) -> dict[str, Any]:
    """All that Prefect's server knows of the flow runs that `which` filters, with their tasks and artifacts, as JSON.
    Other modules' runs may lie on the same server."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    runs = FlowRunFilter.model_validate(which)
    with get_client(sync_client=True) as client:
        found = {
            "flows": client.read_flow_runs(flow_run_filter=runs),
            "tasks": client.read_task_runs(flow_run_filter=runs),
            "artifacts": client.read_artifacts(flow_run_filter=runs),
        }
    return {name: [one.model_dump(mode="json") for one in ones] for name, ones in found.items()}


@pytest.mark.slow
def test_a_held_batch_says_why_in_one_sentence_and_what_may_be_decided(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [installations.request(n) for n in range(1, 36)]
    bad = [installations.request(n, request_id=f"H-{n}", street="UNKNOWN") for n in range(36, 46)]
    folder = installation.submit(installation.home.inbox / CANARY, [*good, *bad])
    assert main.run(["run", str(folder), "--json"]) == 3
    batch = json.loads(capsys.readouterr().out)["batch"]
    found = seen({"name": {"any_": [batch]}})
    (flow,) = found["flows"]
    assert (flow["state"]["name"], flow["state"]["type"]) == ("Held", "FAILED")
    assert set(flow["tags"]) == {installation.agreement.id, "held"}
    states = {one["name"]: one["state"]["name"] for one in found["tasks"]}
    assert states == {f"{batch} ingest": "Completed", f"{batch} intake": "Held"}
    (artifact,) = found["artifacts"]
    first, *rest = artifact["data"].splitlines()
    limit = installation.agreement.thresholds.complete().incomplete_share
    assert first.startswith("# The batch is held at intake.") and f"22.2% of the rows against {limit:.1%}" in first
    assert any(line.startswith("- drop: 2 operators sign: `sluicegate review decide") for line in rest)
    assert f"(http://localhost:8765/batches/{batch}/intake)" in artifact["data"]
    assert artifact["data"].index("authority.incomplete_share |") < artifact["data"].index("<details>")
    assert CANARY not in json.dumps(found) and "Quackenbush" not in json.dumps(found)


@pytest.mark.slow
def test_a_submission_is_run_by_its_id_and_its_folders_name_stays_here(installation: Installation) -> None:
    from flows.batch import inbox
    from flows.schedule import server

    server.warm_up(installation.home)()
    from flows.schedule.batch import batch_flow

    rows = [
        *(installations.request(n) for n in range(1, 36)),
        installations.request(70, request_id="S", last_name="No"),
    ]
    folder = installation.submit(installation.home.inbox / f"{CANARY} again", rows)
    ended = batch_flow(inbox.id_of(folder), str(installation.home.root), return_state=True)
    assert ended.is_completed(), ended.message
    found = seen({"id": {"any_": [str(ended.state_details.flow_run_id)]}})
    (flow,) = found["flows"]
    assert flow["name"].startswith("b-") and set(flow["tags"]) == {installation.agreement.id, "published"}
    assert "receipt" in {one["name"] for one in found["tasks"]}
    assert "Quackenbush" not in json.dumps(found)
    assert batch_flow("s-000000000000", str(installation.home.root), return_state=True).is_failed()
