"""Where the console's process may connect to: each try in a process of its own, since nothing takes the fence away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn

from flows.console.web import outgoing
from flows.console.web.serve import serve
from flows.console.web.watch import Watch
from flows.home.config import Config
from flows.home.tree import Home
from tests.factories import runs
from tests.factories.installations import Installation
from tests.factories.paths import ROOT

TRIED = """
import socket, sys
from flows.console.web import outgoing
from flows.console.web.watch import Watch
watch = Watch()
outgoing.fence(frozenset({"192.0.2.1", "keys.invalid"}), watch)
with socket.socket() as here:
    here.bind(("127.0.0.1", 0))
    here.listen()
    socket.create_connection(here.getsockname()).close()
one, two = socket.socketpair()
for host in sys.argv[1:]:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as tried:
            tried.settimeout(0.2)
            try:
                tried.connect((host, 9)) if kind == socket.SOCK_STREAM else tried.sendto(b"x", (host, 9))
                print("may")
            except PermissionError:
                print("not")
            except OSError:
                print("may")
watch.write()
"""


def tried(*hosts: str) -> tuple[list[str], str]:
    done = subprocess.run([sys.executable, "-c", TRIED, *hosts], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split(), done.stderr


def test_the_console_connects_to_named_hosts_and_its_own_machine_only() -> None:
    assert tried("192.0.2.1", "127.0.0.1", "::1") == (["may"] * 6, "")
    said, logged = tried("192.0.2.2", "198.51.100.7", "2001:db8::1")
    assert said == ["not"] * 6
    assert logged == "console: a connection to a host that nobody named: 6\n"


def test_the_hosts_are_those_of_the_configuration(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    root = installation.home.root
    assert outgoing.named(installation.home) == {"localhost"}
    said = {"origin": "https://gate.example.org", "reaches": ["keys.example.org"]}
    ledger = "postgresql://u@db.example.org/x?sslmode=verify-full&sslrootcert=system"
    other = Home(root, Config.model_validate({"ledger": ledger, "console": said}))
    assert outgoing.named(other) == {"gate.example.org", "keys.example.org", "db.example.org"}


def test_who_serves_the_console_puts_the_fence_up(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up: list[frozenset[str]] = []
    monkeypatch.setattr(outgoing, "fence", lambda hosts, watch: up.append(hosts) if isinstance(watch, Watch) else None)
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_: up.append(frozenset({"serves"})))
    monkeypatch.setattr("flows.console.web.serve.signal.signal", lambda *_: None)
    home = runs.copy(installation.home, tmp_path / "home")
    assert serve(home, port=1024 + 30_000) == 0
    assert up == [{"localhost"}, {"serves"}]
