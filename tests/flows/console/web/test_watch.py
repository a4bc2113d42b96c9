"""What is held off, and that the log says so: too many requests, forms of others, what is no form or no HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from expectations.base.errors import Transient
from flows.console.web import connection, downloads, views
from flows.console.web.rate import Rate
from flows.console.web.serve import config
from flows.console.web.shield import HEADERS
from flows.console.web.watch import _MOST, WORDS, Sight, Watch
from flows.operations import logs
from tests.factories.consoles import Browser


def seen(app: FastAPI, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """What the log has since the last time."""
    capfd.readouterr()
    app.state.keeper.keep()
    return [line.removeprefix("console: ") for line in capfd.readouterr().err.splitlines()]


def test_tries_to_get_around_a_check_are_logged(ada: Browser, capfd: pytest.CaptureFixture[str]) -> None:
    seen(ada.app, capfd)
    ada.get("/", headers={"Host": "evil.example"})
    ada.post("/halt", {"form": ada.token()}, **{"Sec-Fetch-Site": "cross-site"})
    ada.post("/halt", {"form": "x"})
    ada.post("/halt", {"form": "x"})
    ada.client.post("/sign-in", content=b"{}", headers={"Content-Type": "application/json"})
    ada.sign_in("operator-1", "Zebulon Quartermain")
    assert seen(ada.app, capfd) == [
        "a form from another site: 1",
        "a form without the token of its session: 2 (operator-1)",
        "a request for another host name: 1",
        "a sign-in that failed: 1",
        "a form that no page here sends: 1",
    ]
    assert seen(ada.app, capfd) == []


def test_it_is_said_where_it_came_from_and_as_json(
    app: FastAPI, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = TestClient(app, base_url="http://localhost:8765", client=("192.0.2.9", 4711))
    client.get("/", headers={"Host": "evil.example"})
    assert seen(app, capfd) == ["a request for another host name: 1 (192.0.2.9)"]
    try:
        logs.set_up("json")
        client.get("/", headers={"Host": "evil.example"})
        capfd.readouterr()
        app.state.keeper.keep()
        line = json.loads(capfd.readouterr().err)
    finally:
        logs.set_up("text")
    assert line.pop("at") and line == {
        "level": "warning",
        "event": "console.seen",
        "what": "host",
        "count": 1,
        "address": "192.0.2.9",
    }


def test_nothing_but_an_address_and_no_endless_list_comes_into_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    watch = Watch()
    watch.note(Sight.HOST, "Zebulon\nconsole: a sign-in")
    for n in range(_MOST + 500):
        watch.note(Sight.TOO_OFTEN, f"2001:db8::{n:x}")
    watch.write()
    lines = capfd.readouterr().err.splitlines()
    assert "Zebulon" not in "".join(lines) and len(lines) <= _MOST + 1
    assert "console: a request for another host name: 1" in lines
    assert sum(int(line.split(": ")[2].split()[0]) for line in lines) == _MOST + 501
    assert set(WORDS) == set(Sight)


def test_a_ledger_out_of_reach_is_logged(
    ada: Browser, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise Transient("LEDGER_BUSY", "Zebulon Quartermain")

    seen(ada.app, capfd)
    monkeypatch.setattr(views.queue, "queue", gone)
    assert ada.get("/").status_code == 503
    monkeypatch.setattr(ada.console.entrance, "store", gone)
    assert seen(ada.app, capfd) == [
        "what was seen could not be written, and waits: LEDGER_BUSY",
        "a page without its ledger: busy, or out of reach: 1",
    ]


def test_who_asks_for_too_many_pages_waits_and_can_still_stop_releases(
    ada: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    seen(ada.app, capfd)
    object.__setattr__(ada.console, "readers", Rate(20, 1000))
    form = ada.token()
    answers = [ada.get("/me").status_code for _ in range(25)]
    assert answers == [200] * 19 + [429] * 6
    refused = ada.get("/")
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
    assert ada.get("/halt").status_code == 200
    assert ada.post("/halt", {"form": form, "reason": "suspected_fault"}).headers["location"] == "/"
    assert [halt.operator for halt in ada.console.ledger.halts()] == ["operator-1"]
    other = Browser(ada.app)
    other.sign_in("operator-2")
    assert other.get("/me").status_code == 200  # each operator has its own
    assert "too many requests: 7 (operator-1)" in seen(ada.app, capfd)


def test_people_are_not_held_off(ada: Browser) -> None:
    assert [ada.get("/me").status_code for _ in range(250)] == [200] * 250


def test_a_few_files_are_sent_at_a_time(
    ada: Browser, batches: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    seen(ada.app, capfd)
    path, open_files, written = f"/batches/{batches['held']}/intake/rows.csv", ada.console.downloads, views._written
    kept: list[Any] = []

    def slow(*given: Any) -> Any:
        """Somebody who does not read on."""
        kept.append(open_files.opened("operator-1", lambda: written(*given)))
        return written(*given)

    for _ in range(5):  # one after the other is no harm
        assert ada.get(path).status_code == 200
    closed(open_files)
    monkeypatch.setattr(views, "_written", slow)
    assert ada.get(path).status_code == 200  # the slow one stays
    monkeypatch.setattr(views, "_written", written)
    assert ada.get(path).status_code == 200
    kept.append(open_files.opened("operator-1", lambda: some_file()))
    refused = ada.get(path)
    assert refused.status_code == 429 and refused.headers["retry-after"] == "5"
    closed(open_files, kept)
    assert ada.get(path).status_code == 200
    closed(open_files)
    for n in range(downloads.MOST):
        kept.append(open_files.opened(f"reader-{n}", lambda: some_file()))
    assert ada.get(path).status_code == 429
    closed(open_files, kept)
    assert ada.get(path).status_code == 200


def closed(open_files: downloads.Downloads, kept: list[Any] | None = None) -> None:
    """Waits until none is open: the server's threads forget theirs a moment after the answer."""
    while kept:
        kept.pop().close()
    until = time.monotonic() + 20
    while open_files._open.total() and time.monotonic() < until:
        time.sleep(0.01)
    assert open_files._open.total() == 0


def some_file() -> Any:
    return tempfile.TemporaryFile()


def test_a_file_that_cannot_be_made_is_not_counted(ada: Browser, batches: dict[str, str]) -> None:
    for _ in range(4):
        assert ada.get(f"/batches/{batches['published']}/intake/rows.csv").status_code == 404
    closed(ada.console.downloads)


@contextmanager
def listening(app: FastAPI, proxies: list[str] | None = None) -> Iterator[int]:
    """A real server of it; its port."""
    console, listener = app.state.console, socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    server = uvicorn.Server(config(app, console.place, console.watch, proxies or []))
    server.config.lifespan = "off"
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def said(port: int, request: bytes) -> tuple[str, dict[str, str]]:
    """The first line and the headers of an answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connected:
        connected.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += connected.recv(65536) or b"\r\n\r\n"
    first, *lines = got.split(b"\r\n\r\n")[0].decode().split("\r\n")
    return first, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


ASK = b"GET /sign-in HTTP/1.1\r\nHost: localhost:8765\r\nConnection: close\r\n\r\n"


def test_the_servers_own_answers_carry_the_headers_and_are_logged(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with listening(app) as port:
        assert "200" in said(port, ASK)[0]
        for nonsense in (b"\x16\x03\x01 no HTTP\r\n\r\n", b"GET / HTTP/9.9.9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n"):
            first, headers = said(port, nonsense)
            assert "400" in first and {name: headers[name.lower()] for name in HEADERS} == dict(HEADERS)
            assert headers["cache-control"] == "no-store" and "server" not in headers
        monkeypatch.setattr(connection, "MOST", 2)
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        until = time.monotonic() + 20
        while "503" not in (answer := said(port, ASK))[0] and time.monotonic() < until:
            time.sleep(0.05)
        first, headers = answer
        assert "503" in first and {name: headers[name.lower()] for name in HEADERS} == dict(HEADERS)
        assert headers["cache-control"] == "no-store" and headers["retry-after"] == "60"
        for one in idle:
            one.close()
    lines = seen(app, capfd)
    assert "a request that is not HTTP: 3 (127.0.0.1)" in lines
    assert any(line.startswith("a request while too many are connected: ") for line in lines)


@pytest.mark.parametrize(
    ("proxies", "sent", "address"),
    [
        ([], b"192.0.2.9", "127.0.0.1"),
        (["127.0.0.0/8"], b"192.0.2.9", "192.0.2.9"),
        (["127.0.0.0/8"], b"203.0.113.1, 192.0.2.9", "192.0.2.9"),  # what the browser itself wrote does not count
        (["10.0.0.0/8"], b"192.0.2.9", "127.0.0.1"),
    ],
)
def test_where_a_request_comes_from_is_the_word_of_known_proxies_only(
    app: FastAPI, proxies: list[str], sent: bytes, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with listening(app, proxies) as port:
        said(port, b"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-For: " + sent + b"\r\n\r\n")
    assert seen(app, capfd) == [f"a request for another host name: 1 ({address})"]


def test_a_halt_comes_back_to_a_busy_ledger_and_gives_up_loudly(ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    halt, tries, form = ada.console.ledger.halt, [], ada.token()

    def busy(until: int) -> Any:
        def tried(operator: str, reason: Any, *more: Any) -> Any:
            tries.append(operator)
            if len(tries) < until:
                raise Transient("LEDGER_BUSY", "a publication is under way")
            return halt(operator, reason, *more)

        return tried

    fields = {"form": form, "reason": "suspected_fault"}
    monkeypatch.setattr(ada.console.ledger, "halt", busy(4))
    answer = ada.post("/halt", fields)
    assert (answer.status_code, len(tries), ada.console.ledger.halts()) == (503, 3, [])
    tries.clear()
    monkeypatch.setattr(ada.console.ledger, "halt", busy(3))
    assert ada.post("/halt", fields).headers["location"] == "/"
    assert len(tries) == 3 and len(ada.console.ledger.halts()) == 1
