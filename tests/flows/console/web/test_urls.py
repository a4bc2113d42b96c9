"""No address of the console holds a secret, on whatever route: none that a page leads to or a form is sent to, none
that an answer leads to, none that a browser makes of a form's fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from flows.console.pages import HERE
from flows.console.web.routes import ROUTES
from tests.factories import consoles, providers
from tests.factories.consoles import PASSWORD, Browser, key_of
from tests.factories.installations import Installation
from tests.factories.providers import SECRET, Provider, query, settings
from tests.flows.console.web.test_oidc import begin, come_back, opened
from tests.flows.console.web.test_routes import ask

# What parts of an address name: ids, digests and numbers, never what opens anything.
PARTS = {"batch", "case", "checkpoint", "digest", "document", "form", "halt", "id", "name", "number", "proof"}
PARTS |= {"proposal", "thing", "lookback"}
# What forms that are sent by an address ask for.
ASKED = {"agreement", "kind", "name", "number", "on", "stands"}
_FIELD = re.compile(r"<(?:input|select|textarea)\b[^>]*>")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.told() as made:
        yield made


@pytest.fixture
def app(
    installation: Installation, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FastAPI]:
    consoles.quick(monkeypatch)
    app = opened(installation, tmp_path / "home", settings(provider.issuer))
    yield app
    app.state.console.ledger.close()


class Noting(Browser):
    """One that notes each address that it asks for, is sent to, or is shown, and each secret that it holds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.addresses: set[str] = set()
        self.secrets = {PASSWORD, SECRET}
        self.client.event_hooks["response"].append(self._note)

    def _note(self, answer: Any) -> None:
        answer.read()
        self.addresses |= {str(answer.request.url), answer.headers.get("location", "")}
        self.addresses |= set(re.findall(r'(?:href|src|action|formaction)="([^"]*)"', answer.text))
        self.addresses |= set(re.findall(r'content="\d+; url=([^"]*)"', answer.text))
        self.secrets |= set(re.findall(r'name="(?:form|nonce|token|answer)" value="([^"]+)"', answer.text))
        self.secrets |= {one.value for one in self.client.cookies.jar if one.value}


def test_no_address_holds_a_secret(app: FastAPI, provider: Provider, batches: dict[str, str]) -> None:
    browser, console = Noting(app), app.state.console
    code = console.entrance.invite("operator-1", "operator-2")
    browser.secrets.add(code)
    browser.post("/invitation", {"token": code})
    there = begin(browser, token=code)
    begun = console.begun.find(browser.client.cookies.get("__Host-sluicegate-oidc") or "")
    assert begun
    browser.secrets |= {begun.browser, begun.verifier}
    browser.addresses |= {there, *(f"{name}={value}" for name, value in query(there).items())}
    assert come_back(browser, provider.sign_in(there)).status_code == 200
    assert browser.show_key("/sign-in/key", key_of(console, "operator-1")).status_code == 303
    for route in sorted(ROUTES, key=lambda one: one.path in ("/sign-out", "/me/end-all")):
        if not browser.cookie:
            browser.sign_in()
        answer = ask(browser, route, batches, form=browser.token(), password=PASSWORD, token=code, words="none")
        assert answer.status_code != 500, route.path
    assert len(browser.secrets) > 15 and len(browser.addresses) > 100
    for secret in browser.secrets:
        assert not [one for one in browser.addresses if secret in one], secret[:4]


def test_parts_of_addresses_name_what_is_no_secret() -> None:
    assert {one for route in ROUTES for one in re.findall(r"\{(\w+)\}", route.path)} == PARTS


def test_a_form_that_is_sent_by_its_address_asks_for_no_secret() -> None:
    asked = set()
    for path in (HERE / "templates").glob("*.html"):
        for form in re.findall(r"<form\b.*?</form>", path.read_text(), re.S):
            if 'method="post"' not in form.partition(">")[0]:
                for one in _FIELD.findall(form):
                    assert 'type="hidden"' not in one and 'type="password"' not in one, path.name
                    asked |= set(re.findall(r'\bname="([^"]*)"', one))
    assert asked == ASKED
