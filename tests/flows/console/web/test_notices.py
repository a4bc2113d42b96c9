"""What operators hear of their own account when they come in: tries that failed, locks, one factor alone, and changed
credentials; since they came in before, and of no other account."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from expectations.base import signatures
from flows.ledger.entrance import From, notices
from flows.ledger.entrance.accounts import WRONG
from tests.factories import consoles
from tests.factories.consoles import PASSWORD, Browser, key_of, later
from tests.factories.ledgers import Office

ELSEWHERE = From(source="e" * 64)
PEOPLE = ("operator-1", "operator-2")


def lines(page: Any) -> list[str]:
    """What a page tells of its reader's account, without the times."""
    part = re.search(r"<h2[^>]*>Your account</h2>.*?</ul>", page.text, re.S)
    said = re.findall(r"<li>(.*?)</li>", part[0], re.S) if part else []
    return [html.unescape(re.sub(r": <time.*", "", one)) for one in said]


def comes_in(app: FastAPI, name: str = "operator-1") -> Browser:
    app.state.keeper.keep()
    browser = Browser(app)
    assert browser.sign_in(name).status_code == 303
    return browser


def test_who_comes_in_hears_of_tries_and_locks_since_they_came_in_before(ada: Browser, app: FastAPI) -> None:
    entrance = app.state.console.entrance
    for page in ("/me", "/"):
        assert "A try to come in failed" not in ada.get(page).text
    for _ in range(WRONG + 1):
        assert entrance.by_password("operator-1", "wrong", ELSEWHERE) is None
    ben, again = comes_in(app, "operator-2"), comes_in(app)
    told = [
        "A try to come in failed, by password, while it was locked",
        "Your name was locked for a quarter of an hour, at the address where the tries came from",
        f"A try to come in failed, by password, {WRONG} times",
    ]
    assert sorted(lines(again.get("/"))) == sorted(lines(again.get("/me"))) == sorted(told)
    assert "Since you came in before, at <time" in again.get("/").text
    assert not [page for page in ("/", "/me") if "A try to come in failed" in ben.get(page).text]
    third = comes_in(app)
    assert lines(third.get("/")) == lines(third.get("/me")) == [] and "Your account" not in third.get("/").text
    assert "no try to come in as you failed" in third.get("/me").text
    assert app.state.console.ledger.verify() == []


def test_to_show_a_key_once_more_is_not_to_come_in_again(app: FastAPI) -> None:
    comes_in(app)
    assert app.state.console.entrance.by_password("operator-1", "wrong", ELSEWHERE) is None
    ada = comes_in(app)
    began = app.state.console.entrance.entered(ada.cookie).created_at
    assert ada.show_key("/sign-in/key", key_of(ada.console, "operator-1")).status_code == 303
    assert app.state.console.entrance.entered(ada.cookie).created_at == began
    assert lines(ada.get("/")) == ["A try to come in failed, by password"]
    later(ada.console, hours=11)
    assert ada.get("/me").status_code == 303  # nor does it last any longer by that


def test_one_factor_that_was_right_elsewhere_is_told(app: FastAPI) -> None:
    comes_in(app)
    assert app.state.console.entrance.by_password("operator-1", PASSWORD, ELSEWHERE)
    said = "One factor was right, by password, and no key was shown then: somebody may know it"
    assert lines(comes_in(app).get("/")) == [said]
    assert lines(comes_in(app).get("/")) == []


def test_changed_credentials_are_told(app: FastAPI) -> None:
    console = app.state.console
    comes_in(app)
    consoles.password_for(console, "operator-1")
    office = Office(console.ledger)
    office.keys = {name: signatures.load(console.home.keys / name) for name in PEOPLE}
    line = signatures.public_line(office.new_key())
    said = console.ledger.key_message("operator-1", line, True)
    console.ledger.add_key("operator-1", line, office.signed(said, PEOPLE, signatures.OPERATOR))
    assert console.entrance.bind(console.entrance.invite("operator-1", "operator-2"), "https://id.example.org", "ada")
    console.entrance.unbind("operator-1", "operator-2")
    heard = lines(comes_in(app).get("/me"))
    assert sorted(re.sub("[0-9a-f]{16}", "KEY", one) for one in heard) == [
        "A key of yours was added, KEY",
        "An account at a provider was bound to you",
        "One factor was right, by provider, and no key was shown then: somebody may know it",
        "Your password was set anew, by invitation",
        "operator-2 made an invitation, with which your password can be set, or an account be bound, 2 times",
        "operator-2 took away the account at a provider that was bound to you",
    ]
    assert lines(comes_in(app, "operator-2").get("/me")) == [
        "Your password was set anew, by invitation",
        "operator-2 made an invitation, with which your password can be set, or an account be bound",
    ]


def test_only_the_last_thirty_days_are_looked_at(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    assert app.state.console.entrance.by_password("operator-1", "wrong", ELSEWHERE) is None
    assert "A try to come in failed, by password" in lines(comes_in(app).get("/me"))
    monkeypatch.setattr(notices, "MOST", timedelta(0))
    ada = comes_in(app)
    assert lines(ada.get("/me")) == [] and "In the last 30 days no try" in ada.get("/me").text
