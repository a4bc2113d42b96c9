"""The second factor: what a password alone opens, by which keys one comes in, and what is told of each try."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI

from expectations.base import signatures
from flows.console.web.needs import Proof
from flows.console.web.routes import ROUTES
from tests.factories.authenticator import Authenticator
from tests.factories.consoles import ORIGIN, Browser, key_of, signed
from tests.flows.console.web.test_passkeys import answer, asked, enrolled
from tests.flows.console.web.test_routes import ask, ids

KEY = "/sign-in/key"
GUARDED = [r for r in ROUTES if r.need.signed_in and r.need.proof is not Proof.PASSWORD]


@pytest.fixture
def half(browser: Browser) -> Browser:
    """Signed in by a password alone."""
    assert browser.first_factor().headers["location"] == KEY
    return browser


def form(browser: Browser) -> dict[str, str]:
    return dict(re.findall(r'name="(form|next|nonce)" value="([^"]*)"', browser.get(KEY).text))


def told(browser: Browser, *kinds: str) -> list[dict[str, Any]]:
    browser.app.state.keeper.keep()
    return [e["facts"] for e in browser.console.ledger.events() if e["kind"] in kinds]


@pytest.mark.parametrize("route", GUARDED, ids=ids)
def test_a_password_alone_opens_no_page_and_no_form(half: Browser, batches: dict[str, str], route: Any) -> None:
    got = ask(half, route, batches, form=form(half)["form"])
    assert got.status_code == 303 and got.headers["location"].startswith(KEY)


def test_what_a_password_alone_opens_is_the_second_factor_and_a_passkey_to_be(half: Browser) -> None:
    open_to_it = {ids(r) for r in ROUTES if r.need.signed_in and r.need.proof is Proof.PASSWORD}
    paths = ("GET /sign-in/key", "POST /sign-in/key", "POST /sign-out", "GET /me/passkey", "POST /me/passkey")
    assert open_to_it == set(paths)
    assert "make one" in half.get(KEY).text and "Make a passkey" in half.get("/me/passkey").text


def test_whoever_has_a_passkey_here_makes_no_other_by_a_password_alone(half: Browser, app: FastAPI) -> None:
    enrolled(app, Authenticator(origin=ORIGIN))
    page = half.get(KEY).text
    assert "Use your passkey" in page and "allowCredentials" in page and "make one" not in page
    assert half.get("/me/passkey").headers["location"] == "/sign-in/key?next=%2Fme%2Fpasskey"
    sent = half.post("/me/passkey", {"form": form(half)["form"], "nonce": "", "answer": "{}"})
    assert sent.headers["location"].startswith(KEY)


def test_after_a_password_a_passkey_of_ones_own_brings_one_in(half: Browser, app: FastAPI) -> None:
    mine, bens = Authenticator(origin=ORIGIN), Authenticator(origin=ORIGIN)
    enrolled(app, mine)
    enrolled(app, bens, "operator-2")
    before = half.cookie
    for phone, where in ((bens, f"{KEY}?wrong=1&next=%2F"), (mine, "/")):
        nonce, challenge = asked_key(half)
        got = half.post(KEY, {**form(half), "nonce": nonce, "answer": answer(phone, challenge)})
        assert got.headers["location"] == where
    assert half.get("/").status_code == 200 and half.cookie != before
    events = told(half, "signed_in", "sign_in_failed")
    assert [(e["way"], e.get("why", "")) for e in events] == [("password", ""), ("passkey", ""), ("passkey", "wrong")]


def asked_key(browser: Browser) -> tuple[str, bytes]:
    import html
    import json

    page = browser.get(KEY).text
    (options,) = re.findall(r'data-ask="([^"]+)"', page)
    (nonce, *_) = re.findall(r'name="nonce" value="([^"]+)"', page)
    said = json.loads(html.unescape(options))
    return nonce, signatures.base64.urlsafe_b64decode(said["challenge"] + "=")


WRONG = ("another's key", "an old nonce", "another nonce", "no signature", "no nonce", "another origin", "pasted badly")


@pytest.mark.parametrize("how", WRONG)
def test_an_ssh_signature_that_does_not_count_lets_nobody_in(half: Browser, how: str) -> None:
    page, fields = half.get(KEY).text, form(half)
    fields["nonce"] = re.findall(r'name="nonce" value="([^"]+)"', page)[0]
    key = key_of(half.console, "operator-2" if how == "another's key" else "operator-1")
    if how == "another origin":
        page = page.replace("http://localhost:8765", "http://localhost:9999")
    signature = signed(page, key)
    if how == "an old nonce":
        half.console.asked._clock = lambda: 10.0**9
    fields |= {"another nonce": {"nonce": form(half)["nonce"]}, "no nonce": {"nonce": "é"}}.get(how, {})
    signature = {"no signature": "x", "pasted badly": signature[10:]}.get(how, signature)
    got = half.post(KEY, {**fields, "signature": signature})
    assert "wrong=1" in got.headers["location"] and half.get("/").status_code == 303
    assert "does not count here" in half.get(got.headers["location"]).text
    (failed,) = told(half, "sign_in_failed")
    assert failed["by"] == "operator-1" and failed["way"] == "ssh_key"
    assert failed["why"] == ("late" if how == "an old nonce" else "wrong")


def test_what_was_signed_once_brings_nobody_in_again(half: Browser) -> None:
    page = half.get(KEY).text
    fields = form(half) | {"nonce": re.findall(r'name="nonce" value="([^"]+)"', page)[0]}
    fields["signature"] = signed(page, key_of(half.console, "operator-1")).replace("\n", "\r\n")  # as browsers send it
    assert half.post(KEY, fields).headers["location"] == "/"
    other = Browser(half.app)
    other.first_factor()
    assert "wrong=1" in other.post(KEY, {**fields, "form": form(other)["form"]}).headers["location"]
    assert [e["why"] for e in told(half, "sign_in_failed")] == ["late"]


def test_one_is_brought_on_to_the_page_that_was_asked_for(browser: Browser, batches: dict[str, str]) -> None:
    page = f"/batches/{batches['held']}"
    assert browser.first_factor(next=page).headers["location"] == f"{KEY}?next=%2Fbatches%2F{batches['held']}"
    assert browser.sign_in(next=page).headers["location"] == page
    assert browser.sign_in(next="//evil.example").headers["location"] == "/"


def test_each_way_that_lets_nobody_in_is_told_of(browser: Browser, app: FastAPI) -> None:
    phone = Authenticator(origin=ORIGIN)
    enrolled(app, phone)
    nonce, challenge = asked(browser)
    said = answer(phone, challenge)
    browser.console.asked.take(signatures.base64.urlsafe_b64decode(nonce + "="))
    browser.post("/sign-in/passkey", {"answer": said, "nonce": nonce})  # too late
    browser.post("/sign-in/passkey", {"answer": answer(Authenticator(), challenge), "nonce": nonce})  # nobody's
    browser.post("/invitation", {"token": "x" * 43})
    browser.first_factor(password="wrong")
    browser.first_factor("zebulon", "wrong")
    while browser.first_factor("zebulon").status_code != 429:
        pass
    found = [(e.get("by"), e["way"], e["why"]) for e in told(browser, "sign_in_failed")]
    assert set(found) == {
        (None, "passkey", "late"),
        (None, "passkey", "wrong"),
        (None, "invitation", "wrong"),
        ("operator-1", "password", "wrong"),
        (None, "password", "wrong"),
        (None, "password", "locked"),
        (None, "password", "often"),
    }
    sources = {e["source"] for e in told(browser, "sign_in_failed")}
    assert len(sources) == 1 and "testclient" not in str(browser.console.ledger.events())
    assert browser.console.ledger.verify() == []


def test_nobody_elsewhere_keeps_an_operator_out(browser: Browser) -> None:
    """Neither by wrong passwords, which lock one place, nor by many tries for a name."""
    browser.sign_in()
    browser.sign_out()
    for n in range(40):
        other = Browser(browser.app)
        other.client = type(other.client)(
            other.app, base_url=ORIGIN, follow_redirects=False, client=(f"192.0.2.{n}", 1)
        )
        assert other.first_factor(password="wrong").status_code in (303, 429)
    assert browser.first_factor().headers["location"] == KEY
