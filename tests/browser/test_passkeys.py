"""Passkeys as a real browser makes them: Chromium with an authenticator of its own, and the ledger's verifier."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Error, Page

from expectations.base import signatures
from flows.ledger import passkeys
from flows.ledger.passkeys import Assertion, Passkey, is_good
from tests.browser.chromium import CHROMIUM
from tests.factories.authenticator import b64

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
SITE, TEXT, USE = "localhost", b'{"batch":"b-1","decision":"drop"}', signatures.DECISION
MAKE = """async options => (await navigator.credentials.create(
    {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON()"""
ASK = """async options => (await navigator.credentials.get(
    {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()"""


class _Empty(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>here</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """An empty page, at localhost: an address in numbers is no site that passkeys are made for."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{SITE}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(origin)
    yield page
    page.close()


def authenticator(page: Page) -> tuple[CDPSession, str]:
    """One that has what the browser asks for, and recognises its user: a session, and its id there."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def made(page: Page, origin: str, algorithms: list[int], verification: str = "required") -> Passkey:
    asked = b"a challenge of thirty-two bytes.."
    options = {
        "rp": {"id": SITE, "name": "Sluicegate"},
        "user": {"id": b64(b"ada"), "name": "ada", "displayName": "ada"},
        "challenge": b64(asked),
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in algorithms],
        "authenticatorSelection": {"userVerification": verification, "residentKey": "discouraged"},
    }
    return passkeys.made(page.evaluate(MAKE, options), asked, SITE, origin)


def signed(page: Page, key: Passkey, text: bytes, use: str = USE, verification: str = "required") -> str:
    once = passkeys.nonce()
    options: dict[str, Any] = {
        "challenge": b64(passkeys.challenge(text, use, once)),
        "rpId": SITE,
        "allowCredentials": [{"type": "public-key", "id": b64(key.id)}],
        "userVerification": verification,
    }
    return Assertion.answered(page.evaluate(ASK, options), key.line, use, once).text


@pytest.mark.parametrize("algorithms", [[-8, -7], [-7]], ids=["EdDSA", "ES256"])
def test_a_browser_makes_a_passkey_and_signs_with_it(page: Page, origin: str, algorithms: list[int]) -> None:
    authenticator(page)
    key = made(page, origin, algorithms)
    assert Passkey.of(key.line) == key
    signature = signed(page, key, TEXT)
    assert is_good(TEXT, signature, key.line, USE)
    assert not is_good(TEXT + b" ", signature, key.line, USE)
    assert not is_good(TEXT, signature, key.line, signatures.INSTRUMENT)
    assert signature != signed(page, key, TEXT)  # never twice the same
    another = made(page, origin, algorithms)
    assert not is_good(TEXT, signature, another.line, USE)
    assert not is_good(TEXT, signed(page, another, TEXT), key.line, USE)


def test_whose_user_is_not_recognised_neither_makes_one_nor_signs(page: Page, origin: str) -> None:
    session, id = authenticator(page)
    key = made(page, origin, [-7])
    assert is_good(TEXT, signed(page, key, TEXT), key.line, USE)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": id, "isUserVerified": False})
    signature = signed(page, key, TEXT, verification="discouraged")
    assert not is_good(TEXT, signature, key.line, USE)
    with pytest.raises(Error, match="NotAllowedError"):
        made(page, origin, [-7], verification="discouraged")
