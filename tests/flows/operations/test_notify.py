"""Word to people: what they get, and that no address is ever shown."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from expectations.base.errors import SluicegateError, Transient
from flows.home.config import Notify
from flows.home.tree import Home
from flows.operations import notify
from tests.factories import installations
from tests.factories.receiver import receiver

TOKEN = "s3cret-t0ken"


def told(home: Home, **said: object) -> Home:
    return replace(home, config=home.config.model_copy(update={"notify": Notify.model_validate(said)}))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return installations.make(tmp_path_factory.mktemp("notify") / "home").home


def test_everybody_who_is_named_gets_it(home: Home, tmp_path: Path) -> None:
    with receiver() as one, receiver() as other:
        (tmp_path / "addresses").write_text(f"json://127.0.0.1:{other.port}/{TOKEN}\n")
        (tmp_path / "addresses").chmod(0o640)
        urls = [f"json://127.0.0.1:{one.port}/first", {"file": str(tmp_path / "addresses")}]
        notify.send(told(home, urls=urls), "Sluicegate: 1 held", ["held, b-1", "unreadable, u-2"])
    (first,), (second,) = one.got, other.got
    assert first[:2] == ("POST", "/first") and second[1] == f"/{TOKEN}"
    body = json.loads(first[2])
    assert (body["title"], body["message"]) == ("Sluicegate: 1 held", "held, b-1\nunreadable, u-2")


def test_nobody_is_told_where_nobody_is_named(home: Home) -> None:
    notify.send(home, "x", [])
    notify.ping(home)


def test_the_ping_is_called(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as one:
        monkeypatch.setenv("NIGHT_PING", f"http://127.0.0.1:{one.port}/night")
        notify.ping(told(home, ping={"env": "NIGHT_PING"}))
        one.status = 500
        with pytest.raises(Transient, match="NO_PING"):
            notify.ping(told(home, ping={"env": "NIGHT_PING"}))
    assert [request[:2] for request in one.got] == [("GET", "/night")] * 2


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"urls": [f"nothing-{TOKEN}"]}, "NOTIFY_URL"),
        ({"urls": [f"json://127.0.0.1:1/{TOKEN}"]}, "NOT_NOTIFIED"),
        ({"urls": [{"file": "/no/such"}]}, "NO_SECRET"),
        ({"ping": f"ftp://{TOKEN}"}, "PING_URL"),
        ({"ping": f"http://127.0.0.1:1/{TOKEN}"}, "NO_PING"),
        ({"ping": {"credential": "none"}}, "NO_SECRET"),
    ],
)
def test_what_goes_wrong_is_said_and_no_address(
    home: Home, said: dict[str, object], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    chosen = told(home, **said)
    with pytest.raises(SluicegateError, match=code) as error:
        notify.send(chosen, "x", [])
        notify.ping(chosen)
    assert TOKEN not in f"{error.value!r} {error.value} {caplog.text} {chosen.config!r}"
    assert error.value.__cause__ is None
