"""One's own page and everybody's sessions: a password is changed, sessions end, what is sensitive asks for a key."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI

from flows.console.web.needs import Proof
from flows.console.web.place import Place
from flows.console.web.routes import ROUTES
from tests.factories.consoles import PASSWORD, Browser, key_of, later
from tests.flows.conftest import Run
from tests.flows.console.web.test_proof import told
from tests.flows.console.web.test_routes import ids

NEW = "six other words, and no phrase"
FRESH = [route for route in ROUTES if route.need.proof is Proof.FRESH_KEY]


@pytest.fixture
def ben(app: FastAPI) -> Browser:
    browser = Browser(app)
    browser.sign_in("operator-2")
    return browser


def change(browser: Browser, **fields: str) -> object:
    said = {"form": browser.token(), "password": PASSWORD, "new": NEW, "again": NEW}
    return browser.post("/me/password", {**said, **fields})


def test_a_password_is_changed_on_ones_own_page(ada: Browser) -> None:
    assert 'href="/me/password"' in ada.get("/me").text and "The password that you have" in ada.get("/me/password").text
    other = Browser(ada.app)
    other.sign_in()
    answer = change(ada)
    assert answer.headers["location"] == "/sign-in?ready=1" and ada.cookie == ""  # type: ignore[attr-defined]
    assert other.get("/me").status_code == 303
    assert "wrong=1" in ada.first_factor().headers["location"]
    assert ada.sign_in(password=NEW).headers["location"] == "/"
    assert told(ada, "password_set")[-1]["way"] == "password"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "wrong"}, "This is not your password"),
        ({"password": ""}, "This is not your password"),
        ({"again": f"{NEW} "}, "The two are not the same"),
        ({"new": "short", "again": "short"}, "at least 15 characters"),
        ({"new": "y z " * 60, "again": "y z " * 60}, "at most 128"),
        ({"new": "passwordpassword", "again": "passwordpassword"}, "stands in a list of leaked ones"),
    ],
)
def test_a_password_that_is_not_changed_says_why_and_stays(ada: Browser, fields: dict[str, str], said: str) -> None:
    answer = change(ada, **fields)
    assert answer.status_code == 422 and said in answer.text  # type: ignore[attr-defined]
    assert all(value == "" or value not in answer.text for value in fields.values())  # type: ignore[attr-defined]
    assert ada.get("/me").status_code == 200 and Browser(ada.app).sign_in().headers["location"] == "/"


@pytest.mark.parametrize("route", FRESH, ids=ids)
def test_what_is_sensitive_asks_for_a_key_again(ada: Browser, route: object) -> None:
    assert {r.path for r in FRESH} == {"/me/end", "/me/end-all", "/me/password", "/sessions"}
    form, before = ada.token(), ada.cookie
    later(ada.console, minutes=5)
    method, path = route.method, route.path  # type: ignore[attr-defined]
    answer = ada.get(path) if method == "GET" else ada.post(path, {"form": form, "all": "yes"})
    page = path if method == "GET" else f"/{path.split('/')[1]}"
    where = answer.headers["location"]
    assert answer.status_code == 303 and where == f"/sign-in/key?next={page.replace('/', '%2F')}"
    assert ada.get("/me").status_code == 200
    assert "Show once more" in ada.get(where).text
    assert ada.show_key(where, key_of(ada.console, "operator-1")).headers["location"] == page
    assert ada.cookie != before and ada.get(page).status_code == 200
    old = Browser(ada.app)
    old.client.cookies.set(Place.cookie, before)
    assert old.get("/me").status_code == 303


def test_one_session_of_mine_ends_and_no_other(ada: Browser, ben: Browser) -> None:
    other = Browser(ada.app)
    other.sign_in()
    page = ada.get("/me").text
    (id,) = re.findall(r'name="session" value="([0-9a-f]{64})"', page)
    bens = ben.console.entrance.of("operator-2")[0].id
    for wrong in (bens, "x", ""):
        assert ada.post("/me/end", {"form": ada.token(), "session": wrong}).headers["location"] == "/me"
    assert all(one.get("/me").status_code == 200 for one in (ada, other, ben))
    assert ada.post("/me/end", {"form": ada.token(), "session": id}).headers["location"] == "/me"
    assert [one.get("/me").status_code for one in (ada, other, ben)] == [200, 303, 200]
    mine = ada.console.entrance.of("operator-1")[0].id
    assert ada.post("/me/end", {"form": ada.token(), "session": mine}).headers["location"] == "/sign-in"
    assert ada.get("/me").status_code == 303


def test_an_approver_ends_the_sessions_of_one_or_all(ada: Browser, ben: Browser) -> None:
    page = ada.get("/sessions").text
    assert "End all sessions of operator-2" in page and page.count('<th scope="row">operator-') == 2
    form = ada.token()
    for wrong, status in (({}, 400), ({"operator": "zebulon"}, 404), ({"operator": "operator-2", "all": "yes"}, 400)):
        assert ada.post("/sessions", {"form": form, **wrong}).status_code == status
    assert ben.get("/me").status_code == 200
    assert ada.post("/sessions", {"form": form, "operator": "operator-2"}).headers["location"] == "/sessions"
    assert ben.get("/me").status_code == 303 and ada.get("/me").status_code == 200
    ben.sign_in("operator-2")
    assert ada.post("/sessions", {"form": form, "all": "yes"}).headers["location"] == "/sign-in"
    assert [one.get("/me").status_code for one in (ada, ben)] == [303, 303]
    assert {(e["by"], e.get("who")) for e in told(ada, "session_ended")} == {
        ("operator-1", "operator-1"),
        ("operator-2", "operator-1"),
    }


def test_the_same_by_command(ada: Browser, ben: Browser, command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    home = ada.console.home
    monkeypatch.setenv("SLUICEGATE_HOME", str(home.root))
    key = ("--key", str(home.keys / "operator-2"))
    code, out, _ = command("console", "end-sessions", "operator-1", *key)
    assert (code, out) == (0, "1 sessions ended.\n")
    assert ada.get("/me").status_code == 303 and ben.get("/me").status_code == 200
    assert command("console", "end-sessions", *key)[:2] == (0, "1 sessions ended.\n")
    assert ben.get("/me").status_code == 303
    code, _, err = command("console", "end-sessions", "zebulon", *key)
    assert code == 2 and "UNKNOWN_OPERATOR" in err


CLEARED = '"cache", "storage"'


@pytest.mark.parametrize("how", ["signed out", "all ended", "over", "ended elsewhere", "password set"])
def test_the_browser_is_cleared_when_a_session_ends(ada: Browser, how: str) -> None:
    if how == "signed out":
        answer = ada.sign_out()
    elif how == "all ended":
        answer = ada.post("/me/end-all", {"form": ada.token()})
    elif how == "password set":
        answer = change(ada)
    else:
        assert "clear-site-data" not in ada.get("/").headers
        if how == "over":
            later(ada.console, minutes=31)
        else:
            ada.console.entrance.end_all("operator-1")
        answer = ada.get("/")
    assert answer.headers["clear-site-data"] == CLEARED and ada.cookie == ""
    assert "clear-site-data" not in ada.get("/sign-in").headers
