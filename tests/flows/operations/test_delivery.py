"""The log goes to another system: all of it, in order, at least once, whatever happens to the receiver and to us."""

from __future__ import annotations

import json
import logging
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.errors import BadInput, Transient, Usage
from flows.home.observing import Log
from flows.home.tree import Home, make_tree, open_home
from flows.ledger import Ledger
from flows.ledger.chain import Line, event_hash
from flows.operations import delivery, doctor, logs, spool
from tests.factories import certificates
from tests.factories.ledgers import Office, receive
from tests.factories.observed import attributes
from tests.factories.paths import ROOT
from tests.factories.receiver import Receiver, receiver

AUTHORITY = certificates.authority()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With a ledger of some events."""
    made = make_tree(tmp_path / "home", {"sandbox": True})
    with Ledger.open(made.ledger_url) as ledger:
        office = Office(ledger, "ada", "ben")
        for n in range(1, 8):
            receive(ledger, f"batch-{n}")
        by = office.signed(ledger.scheme_message(Scheme.SHA3_256), ("ada", "ben"), signatures.SCHEME)
        ledger.rehash(Scheme.SHA3_256, by)  # from here on by another algorithm
        receive(ledger, "batch-0")
    return made


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging is afterwards as it was."""
    root, ours = logging.getLogger(), logging.getLogger("sluicegate")
    before = (root.level, list(root.handlers), ours.level)
    yield
    for one in set(root.handlers) - set(before[1]):
        one.close()
    root.handlers[:] = before[1]
    root.setLevel(before[0])
    ours.setLevel(before[2])


def to(home: Home, url: str, **more: object) -> Home:
    chosen = Log.model_validate({"to": url, **more})
    return replace(home, config=home.config.model_copy(update={"log": chosen}))


def got(kept: Receiver) -> list[LogRecord]:
    bodies = [ExportLogsServiceRequest.FromString(body) for path, body in kept.raw if path == "/v1/logs"]
    return [r for body in bodies for one in body.resource_logs for scope in one.scope_logs for r in scope.log_records]


def events(kept: Receiver) -> list[Line]:
    """The chain, as the receiver can put it together."""
    found = []
    for one in got(kept):
        said = {name.removeprefix("sluicegate."): value for name, value in attributes(one).items()}
        if "event" in said:
            kind, facts = one.event_name.removeprefix("sluicegate.ledger."), one.body.string_value
            place = said["event"], said["at"], said.get("batch"), kind, facts
            found.append(Line(*place, previous=said["previous"], hash=said["hash"], scheme=said.get("scheme")))
    return found


def lines(kept: Receiver) -> list[tuple[str, int, dict[str, Any]]]:
    """(process, number, line)"""
    found = [(attributes(one), one.body.string_value) for one in got(kept)]
    return [(a["sluicegate.process"], a["sluicegate.line"], json.loads(b)) for a, b in found if "sluicegate.line" in a]


def newest(home: Home) -> int:
    with Ledger.open(home.ledger_url) as ledger:
        return ledger.newest_event()


def test_every_event_is_delivered_once_and_the_chain_can_be_verified_there(home: Home) -> None:
    with receiver() as kept:
        told = to(home, kept.url)
        delivery.deliver(told)
        assert [one.seq for one in events(kept)] == list(range(1, newest(home) + 1))
        assert all(event_hash(one) == one.hash for one in events(kept))
        assert events(kept)[3].previous == events(kept)[2].hash
        with Ledger.open(home.ledger_url) as ledger:
            receive(ledger, "batch-8")
        delivery.deliver(told)
        delivery.deliver(told)
        assert [one.seq for one in events(kept)] == list(range(1, newest(home) + 1))
        assert len(kept.raw) == 2


def test_a_line_that_a_power_cut_spoiled_keeps_no_other_from_leaving(home: Home) -> None:
    with receiver() as kept:
        told = to(home, kept.url)
        logs.set_up("text", told)
        logs.say("step.ended", batch="batch-1", seconds=1)
        (mine,) = spool.files(home.root / spool.FOLDER)
        with mine.open("ab") as stream:
            stream.writelines([b"\0\0\0\n", b'{"event": "step', b"\n", b"\xff\n", b"7\n", b"{}\n"])
        logs.say("step.ended", batch="batch-1", seconds=2)
        delivery.deliver(told)
        found = [(one.event_name, one.body.string_value) for one in got(kept) if "line" in str(one.attributes)]
        assert [name for name, _ in found] == [
            *("sluicegate.step.ended", *["sluicegate.log.unreadable"] * 5, "sluicegate.step.ended")
        ]
        assert [text for name, text in found if name.endswith("unreadable")] == [""] * 5


def test_lines_of_every_process_are_delivered_in_order_and_their_files_go(home: Home) -> None:
    with receiver() as kept:
        told = to(home, kept.url)
        logs.set_up("text", told)
        for n in range(3):
            logs.say("step.ended", batch="batch-1", seconds=n)
        script = "from flows.operations import logs; from flows.home.tree import open_home; import os\n"
        script += "logs.set_up('json', open_home())\nlogs.say('run.began', batch='b')\npid = os.fork()\n"
        script += "logs.say('run.ended', batch='b' if pid else 'forked')\nos.waitpid(pid, 0) if pid else os._exit(0)"
        (home.root / "sluicegate.toml").write_text(f'sandbox = true\n[log]\nto = "{kept.url}"\n')
        done = subprocess.run([sys.executable, "-c", script], env=environment(home), capture_output=True, check=True)
        assert len(done.stderr.splitlines()) == 3  # JSON on stderr goes on as well
        delivery.deliver(told)
        by: dict[str, list[tuple[int, str]]] = {}
        for process, number, line in lines(kept):
            by.setdefault(process, []).append((number, line.get("seconds", line["batch"])))
        assert sorted(by.values(), key=repr) == [[(1, "b"), (2, "b")], [(1, "forked")], [(1, 0), (2, 1), (3, 2)]]
        (mine,) = spool.files(home.root / spool.FOLDER)  # of who goes on
        logs.say("step.ended", batch="batch-2", seconds=3)
        delivery.deliver(told)
        assert lines(kept)[-1][:2] == (mine.stem, 4)
        assert mine.stat().st_mode & 0o077 == 0


def environment(home: Home) -> dict[str, str]:
    return {**os.environ, "SLUICEGATE_HOME": str(home.root), "PYTHONPATH": str(ROOT)}


def test_where_no_other_system_is_named_nothing_is_written(home: Home) -> None:
    logs.set_up("json", home)
    logs.say("run.began", batch="b")
    assert not (home.root / spool.FOLDER).exists()


def refuse_some(kept: Receiver) -> None:
    said = ExportLogsServiceResponse()
    said.partial_success.rejected_log_records = 1
    kept.body = said.SerializeToString()


# How a receiver takes nothing.
DOWN: dict[str, Callable[[Receiver], None]] = {
    "it fails": lambda kept: setattr(kept, "status", 500),
    "it refuses": lambda kept: setattr(kept, "status", 401),
    "it leads elsewhere": lambda kept: setattr(kept, "status", 302),
    "it refuses some": refuse_some,
    "it is no receiver": lambda kept: setattr(kept, "body", b"<html>Welcome</html>"),
}


@pytest.mark.parametrize("how", DOWN)
def test_what_was_not_taken_is_sent_again(home: Home, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(delivery, "_PAGE", 3)
    monkeypatch.setattr("flows.operations.telemetry.PATIENCE", 0.5)
    with receiver() as kept:
        told = to(home, kept.url)
        kept.after = {2: lambda: DOWN[how](kept)}  # the first two requests are taken
        logs.set_up("text", told)
        logs.say("run.began", batch="b")
        with pytest.raises(Transient, match="LOG_NOT_TAKEN"):
            delivery.deliver(told)
        with Ledger.open(home.ledger_url) as ledger:
            state = delivery.state(told, ledger)
        assert (state["event"], state["events_wait"], state["lines_wait"]) == (6, newest(home) - 6, 1)
        kept.status, kept.body, kept.raw = 200, b"", kept.raw[:2]
        delivery.deliver(told)
        assert [one.seq for one in events(kept)] == list(range(1, newest(home) + 1))
        assert [line["event"] for _, _, line in lines(kept)] == ["run.began"]


def test_one_that_is_not_there_at_all_is_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.operations.telemetry.PATIENCE", 0.5)
    with receiver() as kept:
        told = to(home, kept.url)
    with pytest.raises(Transient, match="LOG_NOT_TAKEN"):
        delivery.deliver(told)
    assert delivery.seen(told)["events_wait"] == newest(home)


def test_a_process_that_is_killed_between_two_requests_loses_nothing(home: Home) -> None:
    script = "from flows.operations import delivery; from flows.home.tree import open_home\n"
    script += "delivery._PAGE = 2\ndelivery.deliver(open_home())"
    with receiver() as kept:
        (home.root / "sluicegate.toml").write_text(f'sandbox = true\n[log]\nto = "{kept.url}"\n')
        for taken in (1, 3):
            process = subprocess.Popen([sys.executable, "-c", script], env=environment(home))
            # it has been taken, and whoever sent it never hears so
            kept.after = {len(kept.raw) + taken: lambda pid=process.pid: os.kill(pid, signal.SIGKILL)}
            assert process.wait(120) == -signal.SIGKILL
        kept.after = {}
        delivery.deliver(open_home(home.root))
        numbers = [one.seq for one in events(kept)]
        assert sorted(set(numbers)) == list(range(1, newest(home) + 1))
        assert len(numbers) == len(set(numbers)) + 4  # twice what was taken and not noted, of two requests
        assert len({(one.seq, one.hash) for one in events(kept)}) == newest(home)


def test_a_process_that_is_killed_leaves_its_lines(home: Home) -> None:
    script = "import os, signal; from flows.operations import logs; from flows.home.tree import open_home\n"
    script += "logs.set_up('text', open_home())\n[logs.say('step.ended', n=n) for n in range(50)]\n"
    script += "os.kill(os.getpid(), signal.SIGKILL)"
    with receiver() as kept:
        (home.root / "sluicegate.toml").write_text(f'sandbox = true\n[log]\nto = "{kept.url}"\n')
        subprocess.run([sys.executable, "-c", script], env=environment(home), check=False)
        (left,) = spool.files(home.root / spool.FOLDER)
        with left.open("ab") as broken:
            broken.write(b'{"at": "20')  # a disk that was full took half a line
        delivery.deliver(open_home(home.root))
        assert [(number, line["n"]) for _, number, line in lines(kept)] == [(n + 1, n) for n in range(50)]
        assert spool.files(home.root / spool.FOLDER) == []


def test_another_chain_is_sent_from_its_first_event(home: Home, tmp_path: Path) -> None:
    with receiver() as kept:
        told = to(home, kept.url)
        delivery.deliver(told)
        other = make_tree(tmp_path / "other", {"sandbox": True})
        with Ledger.open(other.ledger_url) as ledger:
            receive(ledger)
        restored = replace(told, config=told.config.model_copy(update={"ledger": other.config.ledger}), root=other.root)
        (other.root / spool.FOLDER).mkdir()
        noted = home.root / spool.FOLDER / "delivered.json"
        (other.root / spool.FOLDER / noted.name).write_bytes(noted.read_bytes())
        assert delivery.seen(restored)["events_wait"] == 1
        delivery.deliver(restored)
        assert (events(kept)[-1].seq, events(kept)[-1].kind) == (1, "received")


def test_it_goes_over_tls_to_who_proves_its_name(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.operations.telemetry.PATIENCE", 1.0)
    certificates.put(tmp_path, AUTHORITY, name="authority")
    certificates.put(tmp_path, certificates.authority(), name="another")
    certificates.put(tmp_path, certificates.signed("localhost", AUTHORITY), name="gate")
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(tmp_path / "gate.pem", tmp_path / "gate.key")
    with receiver(secure) as kept:
        url = f"https://localhost:{kept.port}"
        for wrong in ({}, {"authority": str(tmp_path / "another.pem")}):
            with pytest.raises(Transient, match="LOG_NOT_TAKEN"):
                delivery.deliver(to(home, url, **wrong))
        assert kept.raw == []
        monkeypatch.setenv("LOG_TOKEN", "a token")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "another.pem"))  # changes nothing
        monkeypatch.setattr("flows.operations.telemetry.PATIENCE", 30.0)
        right = {"authority": str(tmp_path / "authority.pem"), "headers": {"Authorization": {"env": "LOG_TOKEN"}}}
        delivery.deliver(to(home, url, **right))
        assert len(events(kept)) == newest(home) and kept.headers["authorization"] == "a token"


@pytest.mark.parametrize(
    ("said", "more", "why"),
    [
        ("http://logs.example.org", {}, "LOG_IN_CLEAR"),
        ("http://192.0.2.7:4318", {}, "LOG_IN_CLEAR"),
        ("ftp://s3cret", {}, "TELEMETRY_URL"),
        ("https://logs.example.org", {"authority": "nowhere.pem"}, "LOG_AUTHORITY"),
    ],
)
def test_what_is_named_wrongly_is_said_and_not_shown(
    home: Home, monkeypatch: pytest.MonkeyPatch, said: str, more: dict[str, str], why: str
) -> None:
    told = to(home, said, **more)
    with pytest.raises((Usage, BadInput), match=why) as error:
        delivery.deliver(told)
    assert "s3cret" not in repr(error.value)
    monkeypatch.setattr(doctor, "open_home", lambda: told)
    (failed,) = [one.what for one in doctor.examine() if one.level == "fail" and one.what.startswith("log.")]
    assert "s3cret" not in failed


def test_it_is_delivered_while_others_work_and_a_receiver_that_is_down_delays_nobody(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_PAUSE", 0.05)
    monkeypatch.setattr("flows.operations.telemetry.PATIENCE", 0.5)
    with receiver() as kept:
        kept.status = 503
        told = to(home, kept.url)
        logs.set_up("text", told)
        began = time.monotonic()
        with delivery.kept(told):
            assert time.monotonic() - began < 1
            await_(lambda: len(kept.raw) > 2)
            kept.status = 200
            kept.raw.clear()
            await_(lambda: len(events(kept)) == newest(home))
            await_(lambda: bool(lines(kept)))
        said = [line for _, _, line in lines(kept)]
        assert [(one["event"], one["code"]) for one in said] == [("log.waits", "LOG_NOT_TAKEN")]  # once


@pytest.mark.parametrize("once", [True, False], ids=["once", "until stopped"])
def test_the_relay_delivers_whatever_becomes_of_prefect(
    home: Home, monkeypatch: pytest.MonkeyPatch, once: bool
) -> None:
    from flows.schedule import watch

    class Unanswered:
        def __init__(self, home: Home) -> None:
            """There is nothing to remember."""

        def step(self) -> int:
            raise Transient("NO_PREFECT_SERVER", "Prefect's server does not answer")

    def pause(keeper: watch.Watch, every: float) -> None:
        time.sleep(0.05)
        keeper.stopping = len(events(kept)) == newest(home)

    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(watch, "Relay", Unanswered)
    monkeypatch.setattr(watch, "_pause", pause)
    monkeypatch.setattr(watch.server, "configure", lambda _: None)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    try:
        with receiver() as kept:
            with pytest.raises(Transient) if once else nullcontext():
                watch.relay(to(home, kept.url), every=0.1, once=once)
            await_(lambda: len(events(kept)) == newest(home))
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def await_(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_status_and_doctor_say_what_another_system_has(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[tuple[str, str]]:
        return [(one.level, one.what) for one in doctor.examine() if " log" in one.what and "system" in one.what]

    monkeypatch.setattr(doctor, "open_home", lambda: home)
    assert found() == [("ok", "no other system gets the log")]  # a sandbox
    assert delivery.sentence(delivery.seen(home)) == "No other system gets the log"
    real = replace(home, config=home.config.model_copy(update={"sandbox": False}))
    monkeypatch.setattr(doctor, "open_home", lambda: real)
    assert found() == [("warn", "no other system gets the log")]
    with receiver() as kept:
        told = to(home, kept.url)
        monkeypatch.setattr(doctor, "open_home", lambda: told)
        assert found() == [("warn", "The log goes to another system, which has taken nothing yet")]
        delivery.deliver(told)
        ((level, said),) = found()
        assert level == "ok" and f"up to event {newest(home)}, taken last at 20" in said
        assert said.endswith("; 0 events and 0 lines wait")
