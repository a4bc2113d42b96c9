"""Coming in with real providers, which know nothing of us: that of PyPI, and that of npm, which demands PKCE."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from tests.factories import consoles, providers
from tests.factories.consoles import ORIGIN, Browser, key_of
from tests.factories.installations import Installation
from tests.factories.providers import settings
from tests.flows.console.web.test_oidc import FAILED, begin, come_back, is_out, opened
from tests.flows.console.web.test_serve import free_port

REDIRECT = f"{ORIGIN}/sign-in/oidc/back"


@pytest.fixture(scope="module", params=["PyPI", pytest.param("npm", marks=pytest.mark.outside)])
def issuer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ExitStack() as stack:
        if request.param == "PyPI":
            yield stack.enter_context(providers.real())
        else:
            folder = providers.npm_provider(tmp_path_factory.mktemp("npm"))
            yield stack.enter_context(providers.of_npm(folder, REDIRECT, free_port()))


@pytest.fixture
def browser(
    installation: Installation, issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Browser]:
    consoles.quick(monkeypatch)
    made = Browser(opened(installation, tmp_path / "home", settings(issuer)))
    yield made
    made.console.ledger.close()


def there(url: str, subject: str) -> dict[str, str]:
    """What somebody brings back who fills in what the provider's pages ask, as this subject."""
    with httpx.Client(follow_redirects=False, timeout=30) as client:
        answer = client.get(url)
        for _ in range(12):
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if url.startswith(REDIRECT):
                    return providers.query(url)
                answer = client.get(url)
                continue
            assert answer.status_code == 200, answer.text
            form = re.search(r"<form.*?</form>", answer.text, re.S)
            assert form, answer.text
            action = re.search(r'action="([^"]*)"', form[0])
            hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
            url = urljoin(url, html.unescape(action[1])) if action and action[1] else url
            answer = client.post(url, data={**hidden, "sub": subject, "login": subject, "password": "any"})
    raise AssertionError("the provider leads to no end")


def sign_in(browser: Browser, subject: str, **asked: str) -> Any:
    return come_back(browser, there(begin(browser, **asked), subject))


def shows_a_key(browser: Browser, where: str) -> None:
    """Nothing was demanded of the provider: it is one factor."""
    assert browser.get("/me").headers["location"] == "/sign-in/key?next=%2Fme"
    answer = browser.show_key(where, key_of(browser.console, "operator-1"))
    assert answer.status_code == 303 and "<h1>operator-1</h1>" in browser.get("/me").text


def test_who_was_invited_comes_in_by_it_and_a_key_from_then_on(browser: Browser) -> None:
    token = browser.console.entrance.invite("operator-1", "operator-2")
    assert sign_in(browser, "somebody", token=token).status_code == 200
    shows_a_key(browser, "/sign-in/key")
    assert browser.sign_out().status_code == 303
    answer = sign_in(browser, "somebody", next="/me")
    assert 'content="0; url=/sign-in/key?next=%2Fme"' in answer.text
    shows_a_key(browser, "/sign-in/key?next=%2Fme")
    other = Browser(browser.app)
    is_out(other, sign_in(other, "somebody-else"))


def test_a_code_counts_once_there_and_here(browser: Browser) -> None:
    token = browser.console.entrance.invite("operator-1", "operator-2")
    said = there(begin(browser, token=token), "somebody")
    assert come_back(browser, said).status_code == 200
    shows_a_key(browser, "/sign-in/key")
    browser.sign_out()
    is_out(browser, come_back(browser, said))
    again = there(begin(browser), "somebody")  # the code that was used, in a flow that was begun
    is_out(browser, come_back(browser, {**again, "code": said["code"]}))


def test_who_has_not_the_verifier_cannot_use_a_code(browser: Browser, issuer: str, request: Any) -> None:
    if request.node.callspec.params["issuer"] == "PyPI":
        pytest.skip("the provider of PyPI does not look at verifiers")
    said = there(begin(browser), "somebody")
    begun = browser.console.begun._begun
    at, one = begun[said["state"]]
    begun[said["state"]] = at, replace(one, verifier="x" * 64)
    is_out(browser, come_back(browser, said))
    bare = re.sub(r"&code_challenge(_method)?=[^&]*", "", begin(browser))
    refused = there(bare, "somebody")
    assert "code" not in refused and refused["error"] == "invalid_request"
    assert come_back(browser, refused).headers["location"] == FAILED


def test_of_whom_two_factors_are_demanded_proves_them_or_lets_nobody_in(
    installation: Installation, issuer: str, tmp_path: Path, request: Any
) -> None:
    if request.node.callspec.params["issuer"] != "PyPI":
        pytest.skip("the provider of npm says no means of its sign-in")
    browser = Browser(opened(installation, tmp_path / "home", settings(issuer, 'amr = ["mfa"]')))
    for subject, means in (("surely", {"amr": ["pwd", "mfa"]}), ("barely", {"amr": ["pwd"]}), ("silently", {})):
        assert httpx.put(f"{issuer}/users/{subject}", json=means).is_success
        token = browser.console.entrance.invite("operator-1", "operator-2")
        answer = sign_in(browser, subject, token=token)
        if "mfa" in means.get("amr", []):
            assert "You are signed in" in answer.text and "<h1>operator-1</h1>" in browser.get("/me").text
            browser.sign_out()
        else:
            is_out(browser, answer)
    browser.console.ledger.close()
