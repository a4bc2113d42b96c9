"""The runs that nobody watches: nightly in this process, watch as the process that it is in service."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.suites.selftest import Proof
from flows import audit
from flows.audit import signed_heads
from flows.batch.decisions import resume, sign
from flows.batch.inbox import waiting
from flows.batch.unreadable import ASIDE
from flows.cli import main
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.decisions import Decision, Reason
from flows.schedule.retries import Retries
from tests.factories import installations
from tests.factories.installations import Installation
from tests.factories.receiver import Receiver, receiver

SIGNATURE = "letter.toml.sig"
PASSING, BLIND = [Proof("intake", "sees", True)], [Proof("intake", "sees", True), Proof("intake", "blind", False)]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = installations.make(tmp_path / "home")
    with installations.at_home(made.home):
        yield made


def rows(first: int, last: int, **changes: Any) -> list[dict[str, Any]]:
    """Requests for these persons, and one for somebody unknown: that everybody is found would be held as too good."""
    spoiled, _, _ = installations.SPOILED["unknown person"]
    stranger = installations.request(last + 1, request_id=f"S-{last}", **spoiled)
    return [*(installations.request(n, **changes) for n in range(first, last + 1)), stranger]


def nightly(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Exit code and summary."""
    capsys.readouterr()
    code = main.run(["nightly", "--json"])
    return code, json.loads(capsys.readouterr().out)


def gates(monkeypatch: pytest.MonkeyPatch, proofs: list[Proof]) -> None:
    """The real self-test has tests of its own and takes long: here, what comes of its answer."""
    from flows.schedule import nightly as module

    monkeypatch.setattr(module, "selftest", lambda: proofs)


def kept(installation: Installation) -> list[dict[str, Any]]:
    return [json.loads(p.read_text()) for p in sorted((installation.home.root / "nightly").iterdir())]


def test_a_night_whose_gates_prove_nothing_takes_nothing_up(
    installation: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.submit(installation.home.inbox / "good", rows(1, 40))
    gates(monkeypatch, BLIND)
    code, summary = nightly(capsys)
    assert (code, summary["batches"]) == (1, []) and "FAILED" in summary["selftest"]
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        assert ledger.batches() == []
    assert kept(installation) == [summary]

    gates(monkeypatch, [])  # nothing proven is nothing passed
    assert nightly(capsys)[0] == 1


@pytest.fixture
def listener(installation: Installation) -> Iterator[Receiver]:
    """Whom the nights tell."""
    with receiver() as found, (installation.home.root / "sluicegate.toml").open("a") as config:
        url = f"127.0.0.1:{found.port}"
        config.write(f'[notify]\nurls = ["json://{url}/word"]\nping = "http://{url}/ping"\n')
        config.flush()
        yield found


@pytest.mark.slow
def test_nightly_takes_what_waits_and_goes_on_after_what_stops(
    installation: Installation,
    listener: Receiver,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from flows.schedule import server

    server.configure(installation.home)
    inbox = installation.home.inbox
    unsigned = installation.submit(inbox / "1-unsigned", rows(1, 3))
    good_signature = (unsigned / SIGNATURE).read_text()
    (unsigned / SIGNATURE).write_text(
        (installation.submit(installation.home.root / "other", rows(4, 5)) / SIGNATURE).read_text()
    )
    installation.submit(inbox / "2-incomplete", rows(11, 18, street="UNKNOWN"))
    installation.submit(inbox / "3-good", rows(21, 60))
    unfinished = installation.submit(inbox / "4-unfinished", rows(61, 70))
    (unfinished / SIGNATURE).unlink()

    gates(monkeypatch, PASSING)
    code, summary = nightly(capsys)
    assert code == 3
    assert [(folder, state) for folder, _, state, _ in summary["batches"]] == [
        ("1-unsigned", "unreadable"),
        ("2-incomplete", "held"),
        ("3-good", "published"),
    ]
    assert [codes for *_, codes in summary["batches"]] == [["LETTER_UNSIGNED"], ["TOO_MANY_INCOMPLETE"], []]
    assert kept(installation)[-1] == summary
    signed = installation.home.root / "checkpoints" / f"{summary['signed_head']}.json"
    assert signed.is_file() and signed_heads.signature_of(signed).is_file()

    assert [path for _, path, _ in listener.got] == ["/word", "/ping"]
    word = json.loads(listener.got[0][2])
    assert word["title"] == "Sluicegate: 1 held; 1 unreadable" and "TOO_MANY_INCOMPLETE" in word["message"]
    assert not any(name in word["message"] for name in ("1-unsigned", "2-incomplete", "4-unfinished"))  # folders
    # the night after: what is done, held or unreadable is not started again, and each that waits is told again
    code, summary = nightly(capsys)
    assert [path for _, path, _ in listener.got] == ["/word", "/ping"] * 2
    assert (code, summary["batches"]) == (3, [])
    assert [(one["kind"], one["codes"]) for one in summary["waiting"]] == [
        ("held", ["TOO_MANY_INCOMPLETE"]),
        ("unreadable", ["LETTER_UNSIGNED"]),
    ]
    # but a letter that is signed again, and sent again, is
    (aside,) = (inbox / ASIDE).iterdir()
    aside.rename(unsigned)
    (unsigned / SIGNATURE).write_text(good_signature)
    code, summary = nightly(capsys)
    assert (code, [(b[0], b[2]) for b in summary["batches"]]) == (3, [("1-unsigned", "published")])
    assert [one["kind"] for one in summary["waiting"]] == ["held"]
    assert [p.name for p in waiting(installation.home)] == []

    # nobody decided on the held one: after the agreement's days a night ends it
    days, now = installation.agreement.thresholds.held_days, Clock().now()
    for later in (days // 2, days - 1):  # each night leaves an event, or else the clock would seem to leap
        monkeypatch.setattr(Home, "clock", lambda self, later=later: Clock(now + timedelta(days=later)))
        code, summary = nightly(capsys)
        assert (code, summary["batches"]) == (3, [])
        assert [one["kind"] for one in summary["waiting"]] == ["held", "unsigned"]
    monkeypatch.setattr(Home, "clock", lambda self: Clock(now + timedelta(days=days + 2)))
    code, summary = nightly(capsys)
    assert (code, [(b[0], b[2]) for b in summary["batches"]]) == (3, [("", "expired")])
    assert [one["kind"] for one in summary["waiting"]] == ["unsigned"]  # the unfinished one: nobody held it
    assert "HELD_TOO_LONG" in summary["batches"][0][3]
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        assert audit.verify(installation.home, ledger).problems == ()
    # a checkpoint that cannot vouch for the one before is a fault of the night
    (installation.home.root / "checkpoints" / f"{summary['signed_head']}.json").write_text("{}")
    code, summary = nightly(capsys)
    assert (code, summary["faults"]) == (1, {"signed head": "CHECKPOINT_BROKEN"})


@pytest.mark.slow
def test_a_night_whose_log_is_not_taken_elsewhere_fails_and_the_next_delivers_it(
    installation: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.schedule import server

    server.configure(installation.home)
    from flows.schedule import nightly as module

    gates(monkeypatch, PASSING)
    monkeypatch.setattr(module, "PARTS", {**module.PARTS, module.Part.LOG: Retries(pauses=(), seconds=300)})
    with receiver() as got:
        with (installation.home.root / "sluicegate.toml").open("a") as settings:
            settings.write(f'[log]\nto = "{got.url}"\n')
        got.status = 503
        code, summary = nightly(capsys)
        assert (code, summary["faults"]) == (1, {"log to another system": "LOG_NOT_TAKEN"})
        got.status = 200
        got.raw.clear()
        code, summary = nightly(capsys)
        assert (code, summary["faults"]) == (0, {})
        (first, *_) = (body for path, body in got.raw if path == "/v1/logs")
        assert b"sluicegate.ledger.enrolled" in first
    code = main.run(["status", "--json"])
    shown = json.loads(capsys.readouterr().out)["log"]
    assert (code, shown["named"], shown["events_wait"]) == (0, True, 0)


@pytest.mark.slow
def test_one_submission_that_breaks_everything_stops_no_other(
    installation: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.schedule import server

    server.configure(installation.home)
    from flows.schedule import batch as module

    installation.submit(installation.home.inbox / "1", rows(1, 40))
    installation.submit(installation.home.inbox / "2", rows(41, 80))
    gates(monkeypatch, PASSING)
    real = module.receive

    def receive(home: Any, ledger: Any, clock: Any, folder: Path) -> str:
        if folder.name == "1":
            raise ValueError("secret")
        return real(home, ledger, clock, folder)

    monkeypatch.setattr(module, "receive", receive)
    code, summary = nightly(capsys)
    assert code == 1
    assert [(b[0], b[2], b[3]) for b in summary["batches"]] == [("1", "failed", ["UNEXPECTED"]), ("2", "published", [])]
    assert [one["kind"] for one in summary["waiting"]] == ["not read"]
    assert "secret" not in json.dumps(kept(installation))


def test_a_letter_that_cannot_be_read_hides_no_other(installation: Installation) -> None:
    broken = installation.home.inbox / "broken"
    broken.mkdir()
    (broken / "letter.toml").write_bytes(b"\xff" * 10)
    (broken / SIGNATURE).write_text("none")
    (installation.home.inbox / "a file").write_text("no folder")
    good = installation.submit(installation.home.inbox / "good", rows(1, 3))
    assert waiting(installation.home) == [broken, good]


class Watching:
    """`sluicegate watch` in a process of its own, and what it says."""

    def __init__(self, installation: Installation, *options: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli.main", "watch", *options],
            env={**environment, "SLUICEGATE_HOME": str(installation.home.root)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line.strip())

    def wait_for(self, what: str, seconds: float = 120) -> None:
        until = time.monotonic() + seconds
        while not any(what in line for line in self.said):
            assert time.monotonic() < until and self.process.poll() is None, (what, self.said)
            time.sleep(0.05)

    def end(self) -> int:
        code = self.process.wait(120)
        self._reader.join(10)
        return code

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.mark.slow
def test_watch_takes_each_complete_submission_up_once_and_stops_cleanly(installation: Installation) -> None:
    inbox = installation.home.inbox
    first = installation.submit(inbox / "first", rows(1, 20))
    signature = (first / SIGNATURE).read_bytes()
    (first / SIGNATURE).unlink()
    with Watching(installation, "--every", "0.2") as watching:
        watching.wait_for("watching")
        time.sleep(1)
        assert watching.said == [f"watching {inbox}"]  # not complete: its signature is not there
        (first / SIGNATURE).write_bytes(signature)
        watching.wait_for("first: started")
        for name, n in (("second", 21), ("third", 51)):
            installation.submit(inbox / name, rows(n, n + 19))
        watching.wait_for("second: started")
        # one at a time: the second was started after the first had ended
        assert watching.said.index("first: released") < watching.said.index("second: started")
        # Ctrl-C reaches the whole terminal, the server of the running batch too: the batch ends all the same
        os.killpg(watching.process.pid, signal.SIGINT)
        assert watching.end() == 0
        assert watching.said[1:] == [
            "first: started",
            "first: released",
            "second: started",
            "second: released",
            "stopped",
        ]
        assert [p.name for p in waiting(installation.home)] == ["third"]
        with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
            assert [b.state.value for b in ledger.batches()] == ["published"] * 2
            assert ledger.verify() == []


@pytest.mark.slow
def test_watch_runs_as_many_at_once_as_it_may_and_ends_by_sigterm(installation: Installation) -> None:
    for name, n in (("a", 1), ("b", 21), ("c", 41)):
        installation.submit(installation.home.inbox / name, rows(n, n + 19))
    with Watching(installation, "--at-once", "2", "--every", "0.2") as watching:
        watching.wait_for("b: started")
        assert watching.said[1:] == ["a: started", "b: started"]
        watching.process.send_signal(signal.SIGTERM)
        assert watching.end() == 0
        assert sorted(watching.said[3:-1]) == ["a: released", "b: released"]
        assert watching.said[-1] == "stopped"
        assert [p.name for p in waiting(installation.home)] == ["c"]


@pytest.mark.slow
def test_watch_goes_on_with_a_batch_once_two_have_decided(installation: Installation) -> None:
    home, spoiled = installation.home, {"street": "UNKNOWN"}
    bad = [installations.request(n, request_id=f"B-{n}", **spoiled) for n in range(1, 9)]
    installation.submit(home.inbox / "first", [*rows(11, 40), *bad])
    with Watching(installation, "--every", "0.2") as watching:
        watching.wait_for("first: held")
        time.sleep(2)
        assert watching.said[1:] == ["first: started", "first: held"]  # a hold is not started again
        with Ledger.open(home.ledger_url, Clock()) as ledger:
            (batch,) = (record.name for record in ledger.batches())
        sign(home, batch, Decision.DROP, signatures.load(home.keys / "operator-1"))
        time.sleep(2)
        assert len(watching.said) == 3  # one of two has signed
        sign(home, batch, Decision.DROP, signatures.load(home.keys / "operator-2"))
        watching.wait_for(f"{batch}: released")
        assert watching.said[3:] == [f"{batch}: started", f"{batch}: released"]
        watching.process.send_signal(signal.SIGTERM)
        assert watching.end() == 0


@pytest.mark.slow
def test_watch_goes_on_once_a_halt_has_ended_and_not_before(installation: Installation) -> None:
    home = installation.home
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        number = ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
    installation.submit(home.inbox / "first", rows(11, 40))
    with Watching(installation, "--every", "0.2") as watching:
        watching.wait_for("first: held")
        time.sleep(3)
        started = len(watching.said)
        assert started <= 5  # it is tried again at most once: nothing has changed since
        for operator in ("operator-1", "operator-2"):
            with Ledger.open(home.ledger_url, Clock()) as ledger:
                resume(ledger, number, signatures.load(home.keys / operator), Reason.CAUSE_MENDED)
        watching.wait_for(": released")
        watching.process.send_signal(signal.SIGTERM)
        assert watching.end() == 0
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        assert [b.state.value for b in ledger.batches()] == ["published"] and ledger.verify() == []
