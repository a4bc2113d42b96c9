"""What a run says of itself: spans, lines and lineage of a batch that is held; and that nobody who listens stops it."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from expectations.base.errors import Fault
from flows.batch.advance import advance
from flows.batch.plan import Step
from flows.batch.receive import receive
from flows.home.tree import Home
from flows.ledger.lifecycles.states import State
from flows.operations import doctor, logs, observing, tracing
from flows.operations.lineage import run as lineage
from flows.operations.lineage.told import Told as Event
from flows.operations.observer import Did, Observer, Place
from flows.operations.observing import Run, observed
from tests.factories import installations, runs
from tests.factories import observed as seen
from tests.factories.paths import ROOT
from tests.factories.receiver import Receiver, receiver

CANARY = "quxzaz"


@dataclass
class Told:
    home: Home
    batch: str
    got: Receiver
    lines: list[dict[str, Any]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """All that was told of a batch that was held."""
    folder, stream = tmp_path_factory.mktemp("observed"), io.StringIO()
    made = installations.make(folder / "home")
    rows = [installations.request(n, request_id=f"{CANARY}-{n}", street=f"NA {CANARY}") for n in range(1, 5)]
    submission = made.submit(folder / CANARY, rows)
    with receiver() as got:
        home = seen.observing(made.home, got.url, got.url, "json")
        with json_lines(stream):
            batch = run(home, submission)
        tracing._provider(home).force_flush()
        lineage._sender(home).flush()
        yield Told(home, batch, got, [json.loads(line) for line in stream.getvalue().splitlines()])


class json_lines:
    """Logging is set up for JSON, into a stream, and then is as it was."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        self.root = logging.getLogger()
        self.before = (self.root.level, list(self.root.handlers), logging.getLogger("sluicegate").level)
        logs.set_up("json")
        self.root.handlers[0].setStream(self.stream)  # type: ignore[attr-defined]

    def __exit__(self, *_: object) -> None:
        level, self.root.handlers[:], ours = self.before
        self.root.setLevel(level)
        logging.getLogger("sluicegate").setLevel(ours)


def run(home: Home, what: Path) -> str:
    with runs.ledger_of(home) as ledger:
        name = receive(home, ledger, ledger.clock, what)
        with observed(runs.work(home, ledger, name)) as one:
            assert advance(one.steps, one.step) is State.HELD
        return name


def test_a_span_for_the_run_and_each_of_its_steps(told: Told) -> None:
    ingest, intake, whole = seen.spans(told.got)
    assert [one.name for one in (ingest, intake, whole)] == ["ingest", "intake", "batch"]
    assert {one.trace_id for one in (ingest, intake)} == {whole.trace_id}
    assert ingest.parent_span_id == intake.parent_span_id == whole.span_id and not whole.parent_span_id
    times = [whole.start_time_unix_nano, ingest.start_time_unix_nano, ingest.end_time_unix_nano]
    times += [intake.start_time_unix_nano, intake.end_time_unix_nano, whole.end_time_unix_nano]
    assert times == sorted(times) and times[0] < times[-1]
    said = seen.attributes(intake)
    assert said["sluicegate.batch"] == told.batch and said["sluicegate.state"] == "held"
    assert said["sluicegate.verdict"] == "HOLD" and said["sluicegate.codes"] == ["TOO_MANY_INCOMPLETE"]
    assert said["sluicegate.checks"] > said["sluicegate.checks.failed"] > 0
    with runs.ledger_of(told.home) as ledger:
        assert said["sluicegate.event"] == ledger.last_event(told.batch)


def test_each_line_is_json_and_has_its_ids(told: Told) -> None:
    assert [line["event"] for line in told.lines] == ["run.began", "step.ended", "step.ended", "run.ended"]
    for line in told.lines:
        assert line["batch"] == told.batch and line["ledger_event"] > 0 and line["level"] == "info"
    steps = [line for line in told.lines if line["event"] == "step.ended"]
    assert [line["step"] for line in steps] == ["ingest", "intake"] and all(line["seconds"] > 0 for line in steps)
    assert (steps[1]["verdict"], steps[1]["codes"]) == ("HOLD", ["TOO_MANY_INCOMPLETE"])


def test_lineage_has_run_events_with_what_the_checkpoint_found(told: Told) -> None:
    events = seen.lineage(told.got)
    said = [(one["job"]["name"], one["eventType"]) for one in events]
    steps = [
        ("batch.ingest", "START"),
        ("batch.ingest", "COMPLETE"),
        ("batch.intake", "START"),
        ("batch.intake", "FAIL"),
    ]
    assert said == [("batch", "START"), *steps, ("batch", "FAIL")]
    whole, intake = events[0]["run"]["runId"], events[4]
    assert all(one["run"]["facets"]["parent"]["run"]["runId"] == whole for one in events[1:5])
    (judged,) = intake["inputs"]
    assert (judged["name"], judged["facets"]["version"]["datasetVersion"]) == ("requests", told.batch)
    checks = judged["inputFacets"]["dataQualityAssertions"]["assertions"]
    failed = [one for one in checks if not one["success"]]
    assert len(checks) > 10 and failed and all(int(one["actual"]) > 0 for one in failed if one["actual"])
    assert judged["inputFacets"]["dataQualityMetrics"]["rowCount"] > 4
    tags = {tag["key"]: tag["value"] for tag in intake["run"]["facets"]["tags"]["tags"]}
    assert tags.keys() == {"batch", "agreement", "state", "ledger_event"} and tags["state"] == "held"


def test_no_value_and_no_folder_is_told(told: Told) -> None:
    sent = b"".join(body for _, body in told.got.raw) + json.dumps(told.lines).encode()
    assert len(sent) > 10_000 and CANARY.encode() not in sent.lower()


class Broken(Observer):
    asked = 0

    def did(self, at: Place, what: Did) -> None:
        self.asked += 1
        raise OSError(CANARY)


def test_whoever_fails_to_listen_stops_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken()
    with runs.ledger_of(told.home) as ledger:
        steps = runs.work(told.home, ledger, told.batch)
        monkeypatch.setattr(steps, "do", lambda step: None)
        one = Run(steps, [broken, Observer()])
        assert one.step(Step.MATCH) is None and one.step(Step.MATCH) is None
        assert broken.asked == 1 and len(one.observers) == 1


def test_an_address_that_is_none_stops_no_batch_and_doctor_says_so(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = seen.observing(told.home, otlp={"env": "NOWHERE"}, lineage="ftp://s3cret")
    assert observing.chosen(replace(wrong, root=tmp_path)) == []
    monkeypatch.setattr(doctor, "open_home", lambda: wrong)
    failed = [one.what for one in doctor.examine() if one.level == "fail"]
    assert failed == ["telemetry.otlp: its place cannot be read: env NOWHERE"]
    monkeypatch.setenv("NOWHERE", "http://127.0.0.1:4318")
    failed = [one.what for one in doctor.examine() if one.level == "fail"]
    assert failed == ["lineage.url: the address is no http or https URL"]


def test_what_fails_is_told_by_its_code(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[str | None] = []

    class Listens(Observer):
        def did(self, at: Place, what: Did) -> None:
            codes.append(what.error)

        def ends(self, at: Place, error: str | None) -> None:
            codes.append(error)

    monkeypatch.setattr(observing, "chosen", lambda _: [Listens()])
    for raised, code in ((Fault("DISK_FULL", CANARY), "DISK_FULL"), (ValueError(CANARY), "ValueError")):
        with runs.ledger_of(told.home) as ledger:
            steps = runs.work(told.home, ledger, told.batch)
            monkeypatch.setattr(steps, "do", lambda _, raised=raised: (_ for _ in ()).throw(raised))
            with pytest.raises(type(raised)), observed(steps) as one:
                one.step(Step.MATCH)
        assert codes == [code, code]
        codes.clear()


def test_a_dead_receiver_costs_no_more_than_a_moment(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "LEAVE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        sender = lineage._Sender(url, "", "test")
        began = time.monotonic()
        with runs.ledger_of(told.home) as ledger:
            place = Place.of(runs.work(told.home, ledger, told.batch))
        for _ in range(2_000):
            sender.put(Event("8b1e5b0e-5f0c-4b0e-8d5c-0e5f0c4b0e8d", None, "START", time.time_ns(), place))
        assert time.monotonic() - began < 5
        sender.flush()
        assert time.monotonic() - began < 10


def test_libraries_say_nothing_in_a_log_of_json() -> None:
    program = f"""
import logging
from flows.operations import logs
logs.set_up("json")
logging.getLogger("apache_beam").error("{CANARY}")
logging.getLogger("some.library").warning("{CANARY}")
try:
    raise KeyError("{CANARY}")
except KeyError:
    logging.getLogger("some.library").exception("{CANARY} %s", "{CANARY}")
logs.say("night.ended", exit_code=3)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    library, ours = (json.loads(line) for line in done.stderr.splitlines())
    assert (library["event"], library["logger"], library["error"]) == ("library", "some.library", "KeyError")
    assert (ours["event"], ours["exit_code"]) == ("night.ended", 3) and CANARY not in done.stderr + done.stdout
