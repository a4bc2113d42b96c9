"""`sluicegate console` as a process: where it may listen, what it says of itself, that it stops cleanly, TLS."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import Usage
from flows.console.web.console import Console
from flows.console.web.place import Place
from flows.home.config import Config
from flows.home.tree import Home
from flows.ledger import Ledger
from tests.factories import certificates, installations, ledgers, runs
from tests.factories.consoles import PASSWORD, signed
from tests.factories.installations import Installation
from tests.flows.conftest import Run


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def served(home: Home, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A console that runs, and where."""
    command = [sys.executable, "-m", "flows.cli.main", "console", *arguments]
    environment = {**os.environ, "SLUICEGATE_HOME": str(home.root)}
    with subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line.startswith("The console: "), line + (process.communicate()[1] if not line else "")
            yield process, line.removeprefix("The console: ").strip()
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture
def home(installation: Installation, tmp_path: Path) -> Iterator[Home]:
    made = runs.copy(installation.home, tmp_path / "home")
    with installations.at_home(made):
        yield made


SEEN = [
    "console: a request for another host name: 1 (127.0.0.1)",
    "console: a sign-in: 1 (127.0.0.1, operator-1)",
]


def key(home: Home) -> tuple[str, str]:
    """Who invites."""
    return "--key", str(home.keys / "operator-2")


@pytest.mark.parametrize(("how", "log"), [(signal.SIGTERM, "json"), (signal.SIGINT, "text")])
def test_an_operator_is_invited_signs_in_and_the_console_stops_cleanly(
    home: Home, how: signal.Signals, log: str, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_LOG__FORMAT", log)
    port = free_port()
    with served(home, "--port", str(port)) as (process, origin):
        assert origin == f"http://localhost:{port}"
        code, link, _ = command("console", "invite", "operator-1", "--port", str(port), *key(home))
        assert code == 0 and link.startswith(f"{origin}/invitation#")
        token = urlsplit(link.strip()).fragment
        with httpx.Client(base_url=origin, headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"}) as client:
            assert client.post("/invitation", data={"token": token}).status_code == 200
            fields = {"token": token, "password": PASSWORD, "again": PASSWORD}
            assert client.post("/invitation", data=fields).headers["location"] == "/sign-in?ready=1"
            fields = {"name": "operator-1", "password": PASSWORD}
            assert client.post("/sign-in", data=fields).headers["location"] == "/sign-in/key"
            client.headers["Cookie"] = f"{Place.cookie}={client.cookies[Place.cookie]}"  # as browsers do at localhost
            assert client.get("/").headers["location"] == "/sign-in/key"
            page = client.get("/sign-in/key").text
            fields = dict(re.findall(r'name="(form|nonce)" value="([^"]*)"', page))
            fields["signature"] = signed(page, signatures.load(home.keys / "operator-1"))
            assert client.post("/sign-in/key", data=fields).headers["location"] == "/"
            client.headers["Cookie"] = f"{Place.cookie}={client.cookies[Place.cookie]}"  # as browsers do at localhost
            answer = client.get("/")
            assert answer.status_code == 200 and "server" not in answer.headers
            assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
            process.send_signal(how)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and token not in out + err  # nothing of what was asked
        assert err.splitlines() == (
            [line for line in err.splitlines() if json.loads(line)["event"] == "console.seen"]
            if log == "json"
            else SEEN
        )
    with Ledger.open(home.ledger_url, Clock()) as ledger:  # what was looked at last is written at the end
        assert ledger.events()[-1]["facts"] == {"by": "operator-1", "page": "queue", "count": 1}
        assert ledger.verify() == []


def test_a_port_that_is_taken_is_said(home: Home, command: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, err = command("console", "--port", str(taken.getsockname()[1]))
    assert code == 2 and "PORT_TAKEN" in err


def test_only_an_operator_is_invited(home: Home, command: Run) -> None:
    code, out, err = command("console", "invite", "zebulon", *key(home))
    assert (code, out) == (2, "") and "UNKNOWN_OPERATOR" in err


def other(home: Home, **console: object) -> Home:
    return Home(home.root, Config.model_validate({"sandbox": True, "console": console}))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"origin": "http://gate.example.org:8765"}, "CONSOLE_ORIGIN"),
        ({"origin": "http://127.0.0.1:8765"}, "CONSOLE_ORIGIN"),
        ({"origin": "https://localhost:8765"}, "CONSOLE_ORIGIN"),
        ({"certificate": "a.pem"}, "CONSOLE_TLS"),
        ({"key": "a.key"}, "CONSOLE_TLS"),
        ({"certificate": "a.pem", "key": "a.key"}, "CONSOLE_ORIGIN"),
    ],
)
def test_without_tls_the_console_is_at_localhost_only(home: Home, said: dict[str, str], code: str) -> None:
    with pytest.raises(Usage, match=code):
        Place.of(other(home, **said))


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7", "gate.example.org", ""])
def test_without_tls_it_listens_on_this_machine_only(home: Home, address: str, command: Run) -> None:
    with pytest.raises(Usage, match="CONSOLE_WITHOUT_TLS"):
        Place.of(home).check(address)
    assert "CONSOLE_WITHOUT_TLS" in command("console", "--address", address)[2]


@pytest.mark.parametrize(
    ("origin", "port", "known", "host", "listens"),
    [
        ("http://localhost:8765", None, "http://localhost:8765", "localhost:8765", 8765),
        ("http://localhost:8765", 9000, "http://localhost:9000", "localhost:9000", 9000),
        ("http://localhost:80", None, "http://localhost", "localhost", 80),
        ("https://gate.example.org", 8443, "https://gate.example.org", "gate.example.org", 8443),
        ("https://gate.example.org:443", None, "https://gate.example.org", "gate.example.org", 443),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(
    home: Home, origin: str, port: int | None, known: str, host: str, listens: int
) -> None:
    files = {"certificate": "a", "key": "b"} if origin.startswith("https") else {}
    place = Place.of(other(home, origin=origin, **files), port)
    assert (place.origin, place.host, place.port) == (known, host, listens)


@pytest.mark.parametrize(
    "origin", ["localhost:8765", "http://localhost:8765/x", "ftp://localhost", "http://a b", "http://u@h"]
)
def test_an_origin_is_nothing_else(origin: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Config.model_validate({"console": {"origin": origin}})


def test_with_a_certificate_it_speaks_tls_and_nothing_else(home: Home) -> None:
    certificates.put(home.root, certificates.own("localhost"))
    port = free_port()
    with (home.root / "sluicegate.toml").open("a") as settings:
        settings.write(f'[console]\norigin = "https://localhost:{port}"\n')
        settings.write('certificate = "gate.pem"\nkey = "gate.key"\n')
    trusted = ssl.create_default_context(cafile=str(home.root / "gate.pem"))
    with served(home, "--address", "127.0.0.1") as (_, origin):
        assert origin == f"https://localhost:{port}"
        with httpx.Client(verify=trusted) as client:
            answer = client.get(f"{origin}/sign-in")
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{port}/sign-in")


def test_a_restored_home_has_no_console_before_it_is_opened(home: Home, command: Run) -> None:
    with Ledger.open(home.ledger_url, Clock()) as ledger, ledger.transaction() as session:
        ledger.record_restored(session, ledgers.sha("backup"))
    with pytest.raises(Usage, match="RESTORED_CLOSED"):
        Console.of(home, Place.of(home))
    for arguments in (["console"], ["console", "invite", "operator-1", *key(home)]):
        assert "RESTORED_CLOSED" in command(*arguments)[2]
