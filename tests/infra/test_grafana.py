"""The dashboard and the alerts: valid by Grafana's own model and by Prometheus's own tool, and of metrics that there
are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from flows.home.tree import make_tree
from flows.operations import telemetry
from flows.operations.instruments import INSTRUMENTS, Point
from flows.schedule.metrics import PORT
from flows.schedule.things import Kind
from tests.factories.paths import ROOT

FOLDER = ROOT / "infra/grafana"
ALERTS = FOLDER / "alerts.yaml"
OUTSIDE = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "sluicegate.json").read_text())
    return found


def expressions() -> Iterator[str]:
    """Of every panel, as Prometheus gets them where all homes are chosen."""
    for panel in dashboard()["panels"]:
        yield from (target["expr"].replace("$job", ".*") for target in panel.get("targets", ()))


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def named(text: str) -> set[str]:
    """The names of series in an expression."""
    return set(re.findall(r"\bsluicegate_\w+", text))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of the series at the endpoint, once each instrument has measured something, with their labels."""
    home, registry = make_tree(tmp_path_factory.mktemp("served") / "home", {}), CollectorRegistry()
    points = [Point(metric, 1, tuple("x" for _ in said.attributes)) for metric, said in INSTRUMENTS.items()]
    provider = telemetry.meter_provider(home, lambda: points, registry)
    families = list(text_string_to_metric_families(generate_latest(registry).decode()))
    provider.shutdown()
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def test_the_dashboard_is_one_by_grafanas_own_model() -> None:
    """Read by Grafana's SDK and written again, nothing of it is lost: a key that no model has would be."""
    plugins.register_default_plugins()
    said = dashboard()
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(said)))
    assert list(lost(said, again)) == []
    assert list(lost({**said, "tytle": 1}, again)) == ["/tytle"]


def lost(given: Any, kept: Any, at: str = "") -> Iterator[str]:
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            yield from lost(value, kept[key], f"{at}/{key}") if key in kept else [f"{at}/{key}"]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for n, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{at}/{n}")
    elif given != kept:
        yield at


def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 20
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) == 23


def test_every_name_is_one_at_the_endpoint(served: dict[str, set[str]]) -> None:
    shown = set().union(*map(named, expressions()))
    told = set().union(*(named(rule["expr"]) for rule in alerts()))
    assert shown - served.keys() == set() == told - served.keys() and len(told) > 5
    # and every metric is shown
    for metric, said in INSTRUMENTS.items():
        name = metric.value.replace(".", "_")
        assert any(one.startswith(name) for one in shown), f"{name} ({said.description}) is in no panel"


def test_every_label_is_one_of_its_metric(served: dict[str, set[str]]) -> None:
    known = {label for labels in served.values() for label in labels} | {"job"}
    for said in [*expressions(), *(rule["expr"] for rule in alerts())]:
        for name, inner in re.findall(r"(\bsluicegate_\w+)\{([^}]*)\}", said):
            labels = set(re.findall(r"(\w+)(?:=~|!=|!~|=)", inner))
            assert labels - {"job"} <= served[name], said
        for inner in re.findall(r"\bby \(([^)]*)\)", said):
            assert {label.strip() for label in inner.split(",")} <= known, said
    all_of_it = " ".join([*expressions(), *(rule["expr"] for rule in alerts())])
    kinds = {kind for one in re.findall(r'kind=~?"([^"]+)"', all_of_it) for kind in one.split("|")}
    assert len(kinds) > 3 and kinds <= set(Kind)


def test_each_alert_says_how_bad_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names) > 10
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical") and len(rule["annotations"]["summary"]) > 20


def promtool(*arguments: str, cwd: Path = FOLDER) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@OUTSIDE
@pytest.mark.outside
def test_prometheus_takes_configuration_alerts_and_every_expression(tmp_path: Path) -> None:
    promtool("check", "config", "prometheus.yaml")
    rules = [{"record": f"a:{n}", "expr": said} for n, said in enumerate(expressions())]
    (tmp_path / "shown.yaml").write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]}))
    promtool("check", "rules", "shown.yaml", cwd=tmp_path)
    (tmp_path / "wrong.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "a", "rules": [{**rules[0], "expr": "sum("}]}]})
    )
    with pytest.raises(AssertionError):
        promtool("check", "rules", "wrong.yaml", cwd=tmp_path)


# Series, every five minutes from 0 on → at which time which alerts are raised.
RAISED: list[tuple[dict[str, str], str, set[str]]] = [
    ({"sluicegate_readable": "1+0x60"}, "2h", set()),
    ({"sluicegate_readable": "0+0x60"}, "2h", {"SluicegateNotReadable"}),
    ({}, "2h", {"SluicegateNotMeasured"}),
    ({'sluicegate_waiting{kind="failed"}': "1+0x60"}, "2h", {"SluicegateFailed"}),
    ({'sluicegate_waiting{kind="held"}': "2+0x60"}, "2h", {"SluicegateHeld"}),
    ({'sluicegate_waiting_deadline_seconds{kind="held"}': "3600+0x60"}, "2h", {"SluicegateDeadlineNear"}),
    (
        {'sluicegate_waiting_deadline_seconds{kind="held"}': "-60+0x60"},
        "2h",
        {"SluicegateDeadlineNear", "SluicegateDeadlinePassed"},
    ),
    ({"sluicegate_night_timestamp_seconds": "0+0x360"}, "25h", set()),
    ({"sluicegate_night_timestamp_seconds": "0+0x360"}, "27h", {"SluicegateNightMissing"}),
    ({"sluicegate_night_exit_code": "1+0x60"}, "2h", {"SluicegateNightFailed"}),
    ({"sluicegate_night_exit_code": "3+0x60"}, "2h", set()),
    (
        {'sluicegate_checkpoint_verdicts_total{checkpoint="intake",verdict="ERROR"}': "0+0x10 1+0x50"},
        "2h",
        {"SluicegateCheckpointNotEvaluated"},
    ),
    ({'sluicegate_tries_held_rows_total{code="NOT_CONFIRMED"}': "0+0x10 9+0x50"}, "2h", {"SluicegateTriesHeld"}),
    ({'sluicegate_service_up{part="worker"}': "0+0x60"}, "2h", {"SluicegatePartStopped"}),
    ({"sluicegate_home_free_bytes": "1e9+0x60"}, "2h", {"SluicegateDiskFull"}),
]


@OUTSIDE
@pytest.mark.outside
@pytest.mark.slow
def test_each_alert_is_raised_when_it_must_and_not_before(tmp_path: Path) -> None:
    tests = []
    for series, at, raised in RAISED:
        measured = {} if raised == {"SluicegateNotMeasured"} else {"sluicegate_readable": "1+0x360"}
        given = [{"series": name, "values": values} for name, values in {**measured, **series}.items()]
        found = [{"eval_time": at, "expr": _raised(rule), "exp_samples": _counted(rule, raised)} for rule in alerts()]
        tests.append({"interval": "5m", "input_series": given, "promql_expr_test": found})
    (tmp_path / "tests.yaml").write_text(
        yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "5m", "tests": tests})
    )
    promtool("test", "rules", "tests.yaml", cwd=tmp_path)


def _raised(rule: dict[str, Any]) -> str:
    return f'count(ALERTS{{alertname="{rule["alert"]}",alertstate="firing"}})'


def _counted(rule: dict[str, Any], raised: set[str]) -> list[dict[str, Any]]:
    return [{"labels": "{}", "value": 1}] if rule["alert"] in raised else []


def test_what_grafana_and_prometheus_are_given_names_what_is_there() -> None:
    source = yaml.safe_load((FOLDER / "provisioning/datasources/sluicegate.yaml").read_text())["datasources"][0]
    assert source["type"] == "prometheus"
    provider = yaml.safe_load((FOLDER / "provisioning/dashboards/sluicegate.yaml").read_text())["providers"][0]
    assert (ROOT / provider["options"]["path"]).is_file()
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    assert all((FOLDER / name).is_file() for name in config["rule_files"])
    assert config["scrape_configs"][0]["static_configs"][0]["targets"] == [f"127.0.0.1:{PORT}"]
