"""Coming in by a passkey: what counts, and each way in which one does not."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from fastapi import FastAPI

from expectations.base import signatures
from flows.console.statements import to_text
from flows.console.web.once import SECONDS, Once
from tests.factories.authenticator import PRESENT, Authenticator, b64
from tests.factories.consoles import ORIGIN, Browser

PEOPLE = ("operator-1", "operator-2")


def enrolled(app: FastAPI, phone: Authenticator, name: str = "operator-1", added: bool = True) -> None:
    """Gives an operator this passkey, or takes it away, as both sign with their SSH keys."""
    console = app.state.console
    said = console.ledger.key_message(name, phone.line, added)
    private = {one: signatures.load(console.home.keys / one) for one in PEOPLE}
    signed = {one: signatures.sign(said, key, signatures.OPERATOR) for one, key in private.items()}
    (console.ledger.add_key if added else console.ledger.remove_key)(name, phone.line, signed)


def asked(browser: Browser) -> tuple[str, bytes]:
    """The nonce of the page's form, and the challenge that goes with it."""
    page = browser.get("/sign-in").text
    (nonce,) = re.findall(r'name="nonce" value="([^"]+)"', page)
    (options,) = re.findall(r'data-ask="([^"]+)"', page)
    ask = json.loads(html.unescape(options))
    assert ask["rpId"] == "localhost" and "allowCredentials" not in ask  # whose it is, is not asked
    return nonce, signatures.base64.urlsafe_b64decode(ask["challenge"] + "=")


def answer(phone: Authenticator, challenge: bytes, **wrong: Any) -> str:
    """What the browser sends of it."""
    id = wrong.pop("id", phone.id)
    data, client, signature = phone.parts(challenge, **wrong)
    response = {"authenticatorData": b64(data), "clientDataJSON": b64(client), "signature": b64(signature)}
    return json.dumps({"id": b64(id), "rawId": b64(id), "type": "public-key", "response": response})


def try_in(browser: Browser, said: str, nonce: str, **more: str) -> Any:
    return browser.post("/sign-in/passkey", {"answer": said, "nonce": nonce, **more})


@pytest.fixture
def phone(app: FastAPI) -> Authenticator:
    made = Authenticator(origin=ORIGIN)
    enrolled(app, made)
    return made


def test_a_passkey_signs_its_operator_in_once(browser: Browser, phone: Authenticator) -> None:
    nonce, challenge = asked(browser)
    said = answer(phone, challenge)
    assert try_in(browser, said, nonce, next="/me").headers["location"] == "/me"
    assert "operator-1" in browser.get("/me").text
    ledger = browser.console.ledger
    event = next(e["facts"] for e in reversed(ledger.events()) if e["kind"] == "signed_in")
    key = ledger.operators()[0].keys[-1].fingerprint
    source = event.pop("source")
    assert re.fullmatch("[0-9a-f]{64}", source)
    assert event == {"by": "operator-1", "key": key, "way": "passkey"} and ledger.verify() == []
    other = Browser(browser.app)  # somebody who saw what was sent
    assert "wrong=passkey" in try_in(other, said, nonce).headers["location"]
    assert other.get("/me").status_code == 303


WRONG: dict[str, dict[str, Any]] = {
    "another challenge": {"challenge": b"x" * 32},
    "a user who was not verified": {"flags": PRESENT},
    "another origin": {"origin": "http://localhost:9999"},
    "another site": {"site": "example.org"},
    "a registration": {"kind": "webauthn.create"},
    "a page within another's": {"crossOrigin": True},
    "a credential of nobody": {"id": b"nobody"},
    "another nonce": {"nonce": to_text(b"n" * 32)},
    "no nonce": {"nonce": ""},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_said_otherwise_lets_nobody_in(browser: Browser, phone: Authenticator, wrong: dict[str, Any]) -> None:
    nonce, challenge = asked(browser)
    how = dict(wrong)
    nonce, challenge = how.pop("nonce", nonce), how.pop("challenge", challenge)
    got = try_in(browser, answer(phone, challenge, **how), nonce)
    assert got.status_code == 303 and "wrong=passkey" in got.headers["location"]
    assert browser.get("/me").status_code == 303
    assert "does not count here" in browser.get(got.headers["location"]).text


@pytest.mark.parametrize("said", ["", "{}", "[]", "null", "7", '{"id": 7}', '{"id": {}}', "{" * 9_000])
def test_what_is_no_answer_lets_nobody_in(browser: Browser, phone: Authenticator, said: str) -> None:
    nonce, _ = asked(browser)
    assert "wrong=passkey" in try_in(browser, said, nonce).headers["location"]


@pytest.mark.parametrize("how", ["revoked", "taken away", "never enrolled", "of another operator's decision"])
def test_a_key_that_does_not_count_lets_nobody_in(browser: Browser, app: FastAPI, how: str) -> None:
    phone, ledger = Authenticator(origin=ORIGIN), app.state.console.ledger
    if how != "never enrolled":
        enrolled(app, phone)
    nonce, challenge = asked(browser)
    if how == "taken away":
        enrolled(app, phone, added=False)
    elif how == "revoked":
        third = signatures.Ed25519PrivateKey.generate()
        keys = {one: signatures.load(app.state.console.home.keys / one) for one in PEOPLE}
        line = signatures.public_line(third)
        said = ledger.operator_message("third", line, ["approver"])
        signed = {n: signatures.sign(said, k, signatures.OPERATOR) for n, k in keys.items()}
        ledger.enrol_operator("third", line, signed, ["approver"])
        said = ledger.operator_message("operator-1")
        others = {"operator-2": keys["operator-2"], "third": third}
        ledger.revoke_operator(
            "operator-1", {n: signatures.sign(said, k, signatures.OPERATOR) for n, k in others.items()}
        )
    elif how == "of another operator's decision":  # a signature for another use, with the same nonce
        from flows.ledger import passkeys

        raw = signatures.base64.urlsafe_b64decode(nonce + "=")
        challenge = passkeys.challenge(b'{"decision":"drop"}', signatures.DECISION, raw)
    assert "wrong=passkey" in try_in(browser, answer(phone, challenge), nonce).headers["location"]
    assert browser.get("/me").status_code == 303 and ledger.verify() == []


def test_a_nonce_is_taken_back_once_and_soon() -> None:
    now = [0.0]
    once = Once(lambda: now[0])
    first, second = once.give(), once.give()
    assert once.take(first) and not once.take(first)
    now[0] = SECONDS + 1
    assert not once.take(second) and not once.take(b"never given")


def test_passkeys_are_tried_as_often_as_passwords(browser: Browser, phone: Authenticator) -> None:
    nonce, _ = asked(browser)
    answers = [try_in(browser, "{}", nonce).status_code for _ in range(25)]
    assert answers[0] == 303 and answers[-1] == 429
