"""Coming in by an identity at a provider: by a provider that does what it is told, the way in and each way in which one
does not come in; and what is kept and said of it."""

from __future__ import annotations

import hmac
import html
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from authlib.oidc.core.util import create_half_hash
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from expectations.base.errors import Usage
from flows.cli import main
from flows.console.oidc import Begins, Begun
from flows.console.oidc.answers import MOST_BYTES
from flows.console.oidc.begun import SECONDS
from flows.console.oidc.id_token import ALGORITHMS
from flows.console.statements import to_text
from flows.console.web.app import make
from flows.console.web.rate import Rate
from flows.ledger.entrance.identities import issuer_digest
from flows.ledger.entrance.models import Identity, Private
from tests.factories import consoles, providers, runs
from tests.factories.consoles import PASSWORD, Browser, key_of, later
from tests.factories.installations import Installation
from tests.factories.providers import CLIENT, SECRET, SUBJECT, Provider, as_json, settings
from tests.flows.console.web.test_doors import revoke

FAILED, DOWN = "/sign-in?wrong=identity", "/sign-in?wrong=provider"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.told() as made:
        yield made


def opened(installation: Installation, folder: Path, text: str, **more: Any) -> FastAPI:
    """A console with this in its configuration."""
    home = runs.copy(installation.home, folder)
    path = home.root / "sluicegate.toml"
    path.write_text(path.read_text() + text)
    app = make(type(home)(home.root, _config(path)), **more)
    for name in ("addresses", "accounts"):
        object.__setattr__(app.state.console, name, Rate(10_000, 1))
    return app


def _config(path: Path) -> Any:
    from flows.home.config import read

    return read(path)[0]


@pytest.fixture
def app(
    installation: Installation, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FastAPI]:
    """A console of that provider, which it asks for two factors and where operator-1 is SUBJECT."""
    consoles.quick(monkeypatch)
    provider.claims["amr"] = ["pwd", "mfa"]
    app = opened(installation, tmp_path / "home", settings(provider.issuer, 'amr = ["mfa"]'))
    bind(Browser(app), provider)
    app.state.keeper.keep()
    yield app
    app.state.console.ledger.close()


def begin(browser: Browser, **fields: str) -> str:
    """Where the browser is sent, or the link of the page that says where it goes."""
    answer = browser.post("/sign-in/oidc", fields)
    assert answer.status_code == 303, answer.status_code
    if answer.headers["location"] != "/sign-in/oidc":
        return str(answer.headers["location"])
    page = browser.get("/sign-in/oidc")
    if page.status_code == 303:
        return str(page.headers["location"])
    link = re.search(r'<a class="button" href="([^"]+)" rel="noreferrer">Go on to localhost:\d+</a>', page.text)
    assert link, page.text
    return html.unescape(link[1])


def come_back(browser: Browser, said: dict[str, str]) -> Any:
    return browser.get("/sign-in/oidc/back", params=said)


def sign_in(browser: Browser, provider: Provider, subject: str = SUBJECT, **asked: str) -> Any:
    return come_back(browser, provider.sign_in(begin(browser, **asked), subject))


def bind(browser: Browser, provider: Provider, name: str = "operator-1", subject: str = SUBJECT) -> Any:
    token = browser.console.entrance.invite(name, "operator-2")
    return sign_in(browser, provider, subject, token=token)


def told(browser: Browser, *kinds: str) -> list[dict[str, Any]]:
    browser.app.state.keeper.keep()
    found = [{"kind": e["kind"], **e["facts"]} for e in browser.console.ledger.events() if e["kind"] in kinds]
    assert all(re.fullmatch("[0-9a-f]{64}", e.pop("source", "0" * 64)) for e in found)
    return found


def is_out(browser: Browser, answer: Any, where: str = FAILED) -> None:
    """Nobody came in, and the flow's cookie is gone."""
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    assert browser.cookie == "" and browser.client.cookies.get("__Host-sluicegate-oidc") is None
    assert browser.get("/me").status_code == 303


def test_who_is_bound_signs_in_and_lands_where_one_wanted_to(browser: Browser, provider: Provider) -> None:
    page = browser.get("/sign-in", params={"next": "/me"}).text
    form = '<form method="post" action="/sign-in/oidc"><input type="hidden" name="next" value="/me"><p>'
    assert f"{form}<button>Sign in with the office&#39;s account</button>" in page
    answer = sign_in(browser, provider, next="/me")
    assert answer.status_code == 200 and '<meta http-equiv="refresh" content="0; url=/me">' in answer.text
    assert "operator-1" in browser.get("/me").text
    ledger, of = browser.console.ledger, issuer_digest(provider.issuer)
    assert told(browser, "identity_bound") == [{"kind": "identity_bound", "by": "operator-1", "issuer": of}]
    said = {"kind": "signed_in", "by": "operator-1", "way": "provider", "issuer": of, "factors": 2}
    assert told(browser, "signed_in")[-1] == said
    assert ledger.verify() == []
    assert begin(browser) == "/"  # who is in, is in


def test_the_cookies_are_read_by_no_script_and_the_session_comes_from_no_other_site(
    browser: Browser, provider: Provider
) -> None:
    answer = browser.post("/sign-in/oidc", {})
    form = r"__Host-sluicegate-oidc=[A-Za-z0-9_-]{43}; HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure"
    assert re.fullmatch(form, answer.headers["set-cookie"])
    said = sign_in(browser, provider).headers.get_list("set-cookie")
    assert re.fullmatch(r"__Host-sluicegate=[A-Za-z0-9_-]{43}; HttpOnly; Path=/; SameSite=strict; Secure", said[0])
    assert said[1].startswith('__Host-sluicegate-oidc=""; ')


def test_what_is_asked_for_is_no_more_than_needed(browser: Browser, provider: Provider) -> None:
    asked = providers.query(begin(browser))
    assert {name: asked[name] for name in ("response_type", "client_id", "scope", "redirect_uri")} == {
        "response_type": "code",
        "client_id": CLIENT,
        "scope": "openid",
        "redirect_uri": "http://localhost:8765/sign-in/oidc/back",
    }
    assert set(asked) == {
        *("response_type", "client_id", "scope", "redirect_uri", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    other = providers.query(begin(Browser(browser.app)))
    assert all(asked[one] != other[one] for one in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none"])
def test_no_other_site_begins_it(browser: Browser, site: str | None) -> None:
    said = {"Sec-Fetch-Site": site} if site else {}
    assert browser.get("/sign-in/oidc", headers=said).headers["location"] == "/sign-in"
    answer = browser.client.post("/sign-in/oidc", data={"next": "/me"}, headers=said)
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_a_page_says_where_one_goes_and_how_to_stay(browser: Browser, provider: Provider) -> None:
    assert browser.post("/sign-in/oidc", {"next": "/me"}).headers["location"] == "/sign-in/oidc"
    page, host = browser.get("/sign-in/oidc"), provider.issuer.removeprefix("http://")
    assert page.status_code == 200 and f"<h1>You are leaving for {host}</h1>" in page.text
    assert '<a href="/sign-in">Stay here</a>' in page.text and "<script>" not in page.text
    assert browser.get("/sign-in/oidc").text == page.text  # it is begun once, however often it is looked at
    other = Browser(browser.app)
    assert other.get("/sign-in/oidc").headers["location"] == "/sign-in"
    other.client.cookies.set("__Host-sluicegate-oidc", "x" * 43)
    assert other.get("/sign-in/oidc").headers["location"] == "/sign-in"


def test_the_code_of_an_invitation_stays_here(browser: Browser, provider: Provider) -> None:
    token = browser.console.entrance.invite("operator-1", "operator-2")
    sent = browser.post("/sign-in/oidc", {"token": token})
    page = browser.get("/sign-in/oidc")
    assert token not in str(sent.headers) + sent.text + str(page.headers) + page.text
    begun = browser.console.begun.find(browser.client.cookies.get("__Host-sluicegate-oidc") or "")
    assert begun and begun.invitation == token


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example/", "/\\evil.example", "/sign-out", "/me\n"])
def test_it_leads_to_pages_of_ours_only(browser: Browser, provider: Provider, next: str) -> None:
    assert "evil" not in begin(browser, next=next)
    answer = sign_in(browser, provider, next=next)
    assert '<meta http-equiv="refresh" content="0; url=/">' in answer.text and "evil" not in answer.text


Told = Callable[[Provider], None]


def claims(**said: Any) -> Told:
    return lambda provider: provider.claims.update(said)


def header(**said: Any) -> Told:
    return lambda provider: provider.header.update(said)


def signed(made: Callable[[Provider, dict[str, Any], dict[str, Any]], str]) -> Told:
    return lambda provider: setattr(provider, "signs", lambda header, claims: made(provider, header, claims))


def _parts(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(to_text(json.dumps(part).encode()) for part in (header, claims))


def _unsigned(_: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_parts({**header, 'alg': 'none'}, claims)}."


def _shared(key: Callable[[Provider], bytes]) -> Told:
    """HMAC with what everybody, or both sides, have."""

    def made(provider: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
        parts = _parts({**header, "alg": "HS256"}, claims)
        return f"{parts}.{to_text(hmac.digest(key(provider), parts.encode(), 'sha256'))}"

    return signed(made)


def _others(_: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return str(jwt.encode(header, claims, RSAKey.generate_key(2048)))


def _carried(_: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A key that comes with the token."""
    key = RSAKey.generate_key(2048)
    with_key = {"alg": "RS256", "jwk": key.as_dict(private=False)}
    return jws.serialize_compact(with_key, json.dumps(claims), key)


def _changed(provider: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    first, _, last = str(jwt.encode(header, claims, provider.keys[0])).split(".")
    return f"{first}.{to_text(json.dumps({**claims, 'sub': 'another'}).encode())}.{last}"


def _critical(provider: Provider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed in good order, and with a demand in its header."""
    whole = {**header, "crit": ["https://evil.example/demand"], "https://evil.example/demand": True}
    parts = _parts(whole, claims)
    private = provider.keys[0].private_key
    assert private is not None
    signature = private.sign(parts.encode(), PKCS1v15(), SHA256())
    return f"{parts}.{to_text(signature)}"


NOW = int(time.time())
WRONG: dict[str, Told] = {
    "another nonce": claims(nonce="x" * 43),
    "no nonce": claims(nonce=None),
    "another issuer": claims(iss="https://evil.example"),
    "no issuer": claims(iss=None),
    "another audience": claims(aud="another"),
    "others in the audience": claims(aud=[CLIENT, "another"]),
    "others in the audience, and we are authorized": claims(aud=[CLIENT, "another"], azp=CLIENT),
    "no audience": claims(aud=None),
    "an audience that is no text": claims(aud={"gate": 1}),
    "another authorized party": claims(azp="another"),
    "expired": claims(exp=NOW - 60),
    "no end": claims(exp=None),
    "an end that is no number": claims(exp="tomorrow"),
    "no time": claims(iat=None),
    "issued tomorrow": claims(iat=NOW + 86_400),
    "not yet valid": claims(nbf=NOW + 86_400),
    "no subject": claims(sub=None),
    "an empty subject": claims(sub=""),
    "a subject that is no text": claims(sub=4711),
    "a subject that is too long": claims(sub="x" * 256),
    "another access token's hash": claims(at_hash="x" * 22),
    "no algorithm": signed(_unsigned),
    "HMAC with the public key": _shared(lambda provider: provider.keys[0].as_pem(private=False)),
    "HMAC with the client's secret": _shared(lambda _: SECRET.encode()),
    "another's signature": signed(_others),
    "a key that it brings": signed(_carried),
    "changed after it was signed": signed(_changed),
    "an unknown key": header(kid="another"),
    "an algorithm that is not on the list": header(alg="RS384"),
    "a token for another use": header(typ="at+jwt"),
    "what nobody here understands": signed(_critical),
    "no ID token": lambda provider: provider.token.update(id_token=None),
    "an ID token that is none": lambda provider: provider.token.update(id_token="a.b.c"),
    "an ID token that is no text": lambda provider: provider.token.update(id_token=["a"]),
    "an ID token that is too long": lambda provider: provider.token.update(id_token="a" * 20_000),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_id_token_that_does_not_prove_it_lets_nobody_in(browser: Browser, provider: Provider, wrong: str) -> None:
    WRONG[wrong](provider)
    is_out(browser, sign_in(browser, provider))
    assert told(browser, "sign_in_failed") == [
        {"kind": "sign_in_failed", "count": 1, "way": "provider", "why": "wrong"}
    ]
    assert browser.console.ledger.verify() == []


KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "RS256": lambda said: RSAKey.generate_key(2048, said),
    "PS256": lambda said: RSAKey.generate_key(3072, said),
    "ES256": lambda said: ECKey.generate_key("P-256", said),
    "ES384": lambda said: ECKey.generate_key("P-384", said),
    "EdDSA": lambda said: OKPKey.generate_key("Ed25519", said),
}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", KEYS)
def test_each_algorithm_on_the_list_counts_with_the_access_tokens_hash(
    browser: Browser, provider: Provider, algorithm: str
) -> None:
    assert set(KEYS) == set(ALGORITHMS)
    provider.keys = [KEYS[algorithm]({"kid": "new", "use": "sig"})]
    half = create_half_hash("access-token-canary", algorithm)
    provider.header["alg"], provider.claims["at_hash"] = algorithm, half.decode()
    assert sign_in(browser, provider).status_code == 200
    browser.sign_out()
    provider.claims["at_hash"] = create_half_hash("another", algorithm).decode()
    is_out(browser, sign_in(browser, provider))


def test_the_session_that_a_browser_had_ends(browser: Browser, provider: Provider) -> None:
    assert browser.sign_in("operator-2").status_code == 303
    before = browser.cookie
    assert bind(browser, provider).status_code == 200
    assert "<h1>operator-1</h1>" in browser.get("/me").text
    assert browser.console.entrance.entered(before) is None
    assert told(browser, "session_ended")[-1] == {"kind": "session_ended", "by": "operator-2", "count": 1}


def test_seconds_by_which_clocks_differ_do_no_harm(browser: Browser, provider: Provider) -> None:
    provider.claims.update(iat=int(time.time()) + 4, exp=int(time.time()) - 4)
    assert sign_in(browser, provider).status_code == 200


def test_it_is_judged_by_the_clock_of_the_ledger(browser: Browser, provider: Provider) -> None:
    later(browser.console, minutes=2)
    is_out(browser, sign_in(browser, provider))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": "x" * 43}, "a state that nobody began"),
        ({"state": ""}, "no state"),
        ({"iss": "https://evil.example"}, "the answer of another provider"),
        ({"iss": None}, "a provider that says who it is does not"),
        ({"code": "guessed"}, "a code that it never gave"),
        ({"code": ""}, "no code"),
        ({"error": "access_denied", "error_description": "canary"}, "refused there"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_comes_back_otherwise_lets_nobody_in(
    browser: Browser, provider: Provider, changed: dict[str, str | None], why: str
) -> None:
    said = {**provider.sign_in(begin(browser)), **changed}
    answer = come_back(browser, {name: value for name, value in said.items() if value is not None})
    is_out(browser, answer)
    assert "canary" not in str(answer.headers) + browser.get(FAILED).text


def test_what_comes_back_twice_in_one_address_lets_nobody_in(browser: Browser, provider: Provider) -> None:
    said = provider.sign_in(begin(browser))
    is_out(browser, browser.get(f"{providers.with_query('/sign-in/oidc/back', said)}&code=another"))


def test_a_code_counts_once(browser: Browser, provider: Provider) -> None:
    said = provider.sign_in(begin(browser))
    assert come_back(browser, said).status_code == 200
    browser.sign_out()
    is_out(browser, come_back(browser, said))


def test_what_one_browser_began_no_other_ends(browser: Browser, provider: Provider) -> None:
    """Somebody signs in as themselves, and gives the address to a victim: or takes a victim's address."""
    other = Browser(browser.app)
    begin(other)  # the other has a cookie, of a flow of its own
    said = provider.sign_in(begin(browser))
    is_out(other, come_back(other, said))
    is_out(browser, come_back(browser, said))  # nor does it count any more where it began


def test_a_code_of_another_flow_is_of_no_use(browser: Browser, provider: Provider) -> None:
    """A code that was stolen is put in the place of one's own: its verifier, and its nonce, are others."""
    stolen, mine = provider.sign_in(begin(browser))["code"], provider.sign_in(begin(browser), "mine")
    is_out(browser, come_back(browser, {**mine, "code": stolen}))


def test_what_was_begun_long_ago_or_before_many_others_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    begins, one, two = Begins(lambda: now[0]), Begun("/"), Begun("/")
    begins.add(one)
    begins.add(two)
    now[0] = SECONDS
    assert begins.find(one.browser) is begins.take(one.state, one.browser) is one
    assert begins.find(one.browser) is begins.take(one.state, one.browser) is None and begins.find("") is None
    now[0] = SECONDS + 1
    assert begins.find(two.browser) is begins.take(two.state, two.browser) is None
    monkeypatch.setattr("flows.console.oidc.begun._MOST", 1)
    begins.add(one)
    begins.add(two)
    assert begins.take(one.state, one.browser) is None and begins.take(two.state, two.browser) is two
    assert one.state not in repr(one) + str(one) and one.verifier not in repr(one)


def test_new_keys_are_read_when_a_token_names_one(browser: Browser, provider: Provider) -> None:
    old = provider.keys
    assert sign_in(browser, provider).status_code == 200
    browser.sign_out()
    provider.rotate()
    assert sign_in(browser, provider).status_code == 200
    browser.sign_out()
    provider.keys, new = old, provider.keys
    url = begin(browser)
    said = provider.sign_in(url)
    provider.signs = lambda header, claims: str(jwt.encode({**header, "kid": old[0].kid}, claims, old[0]))
    provider.keys = new  # the old one signs still, and is not published any more
    is_out(browser, come_back(browser, said))


def test_keys_that_prove_nothing_are_left_out(browser: Browser, provider: Provider) -> None:
    """A key that is shared, one for sealing, one that is too small; and what is no key."""
    from flows.console.oidc.errors import Unreachable
    from flows.console.oidc.metadata import key_set

    good = provider.keys[0].as_dict(private=False)
    small = {**good, "n": to_text((1 << 1023 | 1).to_bytes(128, "big")), "kid": "small"}
    useless = [{"kty": "oct", "k": to_text(b"x" * 32)}, {**good, "use": "enc"}, small, {"kty": "EC"}, "x", {}]
    assert [key.kid for key in key_set({"keys": [*useless, good]})] == [provider.keys[0].kid]
    for none in ({"keys": useless}, {"keys": []}, {}, [], None, {"keys": "x"}):
        with pytest.raises(Unreachable):
            key_set(none)


def gone() -> providers.Answer:
    raise ConnectionError


PATHS = {"discovery": "/.well-known/openid-configuration", "keys": "/jwks"}
SPOILED: dict[str, Callable[[], providers.Answer]] = {
    "is too big": lambda: as_json({"x": "x" * MOST_BYTES}),
    "leads elsewhere": lambda: (302, {"Location": "http://localhost:1/"}, b""),
    "is a fault": lambda: as_json({}, 500),
    "is no JSON": lambda: (200, {}, b"<html>canary"),
    "is another document": lambda: as_json(["canary"]),
    "is packed": lambda: (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"),
    "is nested deeply": lambda: (200, {}, b"[" * 100_000),
    "is not there": lambda: (404, {}, b""),
}


@pytest.mark.parametrize("spoiled", SPOILED)
@pytest.mark.parametrize("which", PATHS)
def test_a_provider_that_answers_otherwise_leaves_the_door_as_it_is(
    installation: Installation, provider: Provider, tmp_path: Path, which: str, spoiled: str
) -> None:
    browser = Browser(opened(installation, tmp_path / "home", settings(provider.issuer)))
    provider.answers[PATHS[which]] = SPOILED[spoiled]
    assert begin(browser) == DOWN and begin(browser) == DOWN
    assert provider.asked.count(PATHS["discovery"]) == 1  # it is left alone for a moment
    page = browser.get(DOWN)
    assert page.status_code == 200 and 'role="alert"' in page.text and "canary" not in page.text
    provider.answers.clear()
    browser.console.provider._failed_at = None
    assert begin(browser).startswith(provider.issuer)
    browser.console.ledger.close()


@pytest.mark.parametrize("spoiled", [one for one in SPOILED if one != "is not there"])
def test_a_token_that_comes_otherwise_lets_nobody_in(browser: Browser, provider: Provider, spoiled: str) -> None:
    provider.answers["/token"] = SPOILED[spoiled]
    answer = sign_in(browser, provider)
    is_out(browser, answer, answer.headers["location"])
    assert answer.headers["location"] in (FAILED, DOWN)
    assert provider.asked[-1] == "/token"  # nothing was asked elsewhere


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "http://evil.example/jwks"},
        {"authorization_endpoint": "http://evil.example/a"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://user:secret@evil.example/"},
        {"authorization_endpoint": "https://evil.example/\r\nSet-Cookie: a=b"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": 1},
    ],
    ids=str,
)
def test_a_discovery_document_of_another_is_not_believed(
    installation: Installation, provider: Provider, tmp_path: Path, said: dict[str, Any]
) -> None:
    browser = Browser(opened(installation, tmp_path / "home", settings(provider.issuer)))
    provider.metadata.update(said)
    assert begin(browser) == DOWN
    browser.console.ledger.close()


def test_a_provider_that_is_down_or_hangs_keeps_nobody_waiting_for_long(
    installation: Installation, tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.console.oidc.answers.OPTIONS", {"timeout": 0.2, "trust_env": False})

    def hangs() -> providers.Answer:
        time.sleep(1)
        return as_json({})

    for number, issuer in enumerate(("http://localhost:1", provider.issuer)):
        provider.answers[PATHS["discovery"]] = hangs
        browser, before = Browser(opened(installation, tmp_path / str(number), settings(issuer))), time.monotonic()
        assert begin(browser) == DOWN and time.monotonic() - before < 1
        browser.console.ledger.close()


@pytest.mark.parametrize(
    ("more", "says", "good"),
    [
        ('acr = ["gold", "silver"]', {"acr": "silver"}, True),
        ('acr = ["gold"]', {"acr": "bronze"}, False),
        ('acr = ["gold"]', {}, False),
        ('amr = ["mfa", "hwk"]', {"amr": ["hwk", "mfa", "pin"]}, True),
        ('amr = ["mfa"]', {"amr": ["pwd"]}, False),
        ('amr = ["mfa"]', {"amr": "mfa"}, False),
        ('amr = ["mfa"]', {}, False),
        ("max_minutes = 5", {"auth_time": 0}, True),  # seconds from now
        ("max_minutes = 5", {"auth_time": -3600}, False),
        ("max_minutes = 5", {"auth_time": 3600}, False),
        ("max_minutes = 5", {"auth_time": None}, False),
        ("max_minutes = 5", {"auth_time": True}, False),
    ],
)
def test_how_the_provider_signed_somebody_in_is_as_demanded(
    installation: Installation, provider: Provider, tmp_path: Path, more: str, says: dict[str, Any], good: bool
) -> None:
    browser = Browser(opened(installation, tmp_path / "home", settings(provider.issuer, more)))
    now = int(time.time())
    provider.claims.update({name: now + said if type(said) is int else said for name, said in says.items()})
    answer = bind(browser, provider)
    assert (answer.status_code == 200) is good
    asked = providers.query(begin(Browser(browser.app)))
    assert ("max_age" in asked) is ("max_minutes" in more) and ("acr_values" in asked) is ("acr" in more)
    browser.console.ledger.close()


ONE_FACTOR = (
    *("", "max_minutes = 5", 'amr = ["pwd"]', 'amr = ["pwd", "pin", "kba"]'),
    *('amr = ["otp"]', 'amr = ["hwk", "otp"]', 'amr = ["pwd", "phr"]'),
)
BOTH = ('acr = ["gold"]', 'amr = ["mfa"]', 'amr = ["pwd", "otp"]', 'amr = ["hwk", "fpt"]\nmax_minutes = 5')


@pytest.mark.parametrize(("more", "both"), [*((one, False) for one in ONE_FACTOR), *((one, True) for one in BOTH)])
def test_a_provider_of_which_nothing_is_demanded_is_one_factor(
    installation: Installation, provider: Provider, tmp_path: Path, more: str, both: bool
) -> None:
    """Whatever it says of itself."""
    browser = Browser(opened(installation, tmp_path / "home", settings(provider.issuer, more)))
    provider.claims.update(amr=["pwd", "pin", "kba", "otp", "hwk", "fpt", "phr", "mfa"], acr="gold")
    for answer in (bind(browser, provider), sign_in(Browser(browser.app), provider, next="/me")):
        assert answer.status_code == 200 and ("You are signed in" in answer.text) is both
        assert ("url=/sign-in/key" in answer.text) is not both
    closed = {"/": "/sign-in/key", "/me": "/sign-in/key?next=%2Fme", "/halt": "/sign-in/key?next=%2Fhalt"}
    for path, where in closed.items():
        answer = browser.get(path)
        assert (answer.status_code, answer.headers.get("location")) == ((200, None) if both else (303, where))
    assert [one["factors"] for one in told(browser, "signed_in")] == [2 if both else 1] * 2
    if not both:
        is_half_in(browser)
    browser.console.ledger.close()


def is_half_in(browser: Browser) -> None:
    """No form does anything; another's key does not count; one's own brings one in."""
    page = browser.get("/sign-in/key").text
    form = dict(re.findall(r'name="(form)" value="([^"]*)"', page))
    answer = browser.post("/halt", {**form, "reason": "suspected_fault"})
    assert answer.headers["location"] == "/sign-in/key" and browser.console.ledger.halts() == []
    wrong = browser.show_key("/sign-in/key", key_of(browser.console, "operator-2")).headers["location"]
    assert "wrong=1" in wrong and browser.get("/me").status_code == 303
    assert browser.show_key("/sign-in/key", key_of(browser.console, "operator-1")).headers["location"] == "/"
    assert "<h1>operator-1</h1>" in browser.get("/me").text
    assert told(browser, "signed_in")[-1]["way"] == "ssh_key" and browser.console.ledger.verify() == []


def test_who_is_bound_to_nobody_does_not_come_in(browser: Browser, provider: Provider) -> None:
    is_out(browser, sign_in(browser, provider, "another"))
    assert "it is bound to no operator here" in browser.get(FAILED).text


def test_roles_and_names_that_a_provider_says_change_nothing(browser: Browser, provider: Provider) -> None:
    said = {"preferred_username": "operator-2", "roles": ["approver"], "email": "operator-2@example.org"}
    provider.claims.update(said)
    assert sign_in(browser, provider).status_code == 200
    assert "<h1>operator-1</h1>" in browser.get("/me").text
    browser.sign_out()
    is_out(browser, sign_in(browser, provider, "operator-2"))  # the name of an operator is no identity


def test_a_revoked_operator_is_out_and_its_identity_may_be_anothers(browser: Browser, provider: Provider) -> None:
    sign_in(browser, provider)
    revoke(browser, "operator-1")
    assert browser.get("/me").status_code == 303
    is_out(browser, sign_in(browser, provider))
    token = browser.console.entrance.invite("cleo", "operator-2")
    assert sign_in(browser, provider, token=token).status_code == 200
    assert "<h1>cleo</h1>" in browser.get("/me").text


def test_nobody_is_bound_to_two_operators(browser: Browser, provider: Provider) -> None:
    is_out(browser, bind(browser, provider, "operator-2"))
    assert sign_in(browser, provider).status_code == 200
    assert "<h1>operator-1</h1>" in browser.get("/me").text


def test_an_invitation_binds_once_and_ends_what_was_open(browser: Browser, provider: Provider) -> None:
    sign_in(browser, provider)
    entrance, other = browser.console.entrance, Browser(browser.app)
    token = entrance.invite("operator-1", "operator-2")
    page = other.post("/invitation", {"token": token}).text
    form = f'<form method="post" action="/sign-in/oidc"><input type="hidden" name="token" value="{token}"><p>'
    assert f"{form}<button>Come in with the office&#39;s account</button>" in page
    twice = Browser(browser.app)
    late = provider.sign_in(begin(twice, token=token), "late")
    assert sign_in(other, provider, "new", token=token).status_code == 200
    assert browser.get("/me").status_code == 303 and other.get("/me").status_code == 200
    is_out(twice, come_back(twice, late))  # begun while it counted
    third = Browser(browser.app)
    is_out(third, sign_in(third, provider))  # the one before is bound no more
    for bad in (token, "x", "x" * 43, "é"):
        answer = third.post("/sign-in/oidc", {"token": bad})
        assert answer.status_code == 410 and "set-cookie" not in answer.headers
    assert {one["way"] for one in told(third, "sign_in_failed")} == {"invitation", "provider"}


def test_an_approver_takes_an_identity_away(
    browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in(browser, provider)
    home = browser.console.home
    monkeypatch.setenv("SLUICEGATE_HOME", str(home.root))
    command = ["console", "unbind", "operator-1", "--key", str(home.keys / "operator-2")]
    assert main.run(command) == 0
    assert browser.get("/me").status_code == 303
    is_out(browser, sign_in(browser, provider))
    of = issuer_digest(provider.issuer)
    assert told(browser, "identity_unbound") == [
        {"kind": "identity_unbound", "by": "operator-1", "who": "operator-2", "issuer": of}
    ]
    assert main.run(command) == 2 and "NOT_BOUND" in "".join(capsys.readouterr())
    assert browser.console.ledger.verify() == []


def test_without_passwords_there_is_no_form_for_one(
    installation: Installation, provider: Provider, tmp_path: Path
) -> None:
    text = f"\n[console]\npasswords = false\n{settings(provider.issuer)}"
    browser = Browser(opened(installation, tmp_path / "home", text))
    invitation = browser.console.entrance.invite("operator-1", "operator-2")
    for page in (browser.get("/sign-in"), browser.post("/invitation", {"token": invitation})):
        assert page.status_code == 200 and 'type="password"' not in page.text and "the office&#39;s" in page.text
    fields = {"token": invitation, "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/invitation", fields).status_code == 404
    assert browser.sign_in().status_code == 404
    assert bind(browser, provider).status_code == 200
    assert browser.show_key("/sign-in/key", key_of(browser.console, "operator-1")).headers["location"] == "/"
    assert browser.get("/me").status_code == 200
    browser.console.ledger.close()


def test_without_a_provider_its_pages_lead_to_the_door(installation: Installation, tmp_path: Path) -> None:
    browser = Browser(opened(installation, tmp_path / "home", ""))
    assert browser.get("/sign-in/oidc").headers["location"] == "/sign-in"
    assert browser.post("/sign-in/oidc", {}).status_code == 404
    assert browser.get("/sign-in/oidc/back", params={"code": "x"}).headers["location"] == FAILED
    assert "/sign-in/oidc" not in browser.get("/sign-in").text
    browser.console.ledger.close()


def test_tries_to_begin_are_limited(browser: Browser, app: FastAPI) -> None:
    object.__setattr__(app.state.console, "addresses", Rate(2, 100))
    begin(browser)
    begin(browser)
    assert browser.post("/sign-in/oidc", {}).status_code == 429


def test_of_code_tokens_subject_and_secret_nothing_is_kept_said_or_logged(
    browser: Browser,
    provider: Provider,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO")
    # a handler that an earlier test left prints what it cannot write: also what the test's own client asks for
    monkeypatch.setattr(logging, "raiseExceptions", False)
    shown = [sign_in(browser, provider), browser.get("/me")]
    browser.sign_out()
    WRONG["another nonce"](provider)
    shown += [sign_in(browser, provider), browser.get(FAILED), browser.get("/sign-in")]
    provider.claims.pop("nonce")
    shown.append(sign_in(browser, provider, f"{SUBJECT}-unbound"))
    url = begin(browser)
    app, ledger = browser.app, browser.console.ledger
    app.state.keeper.keep()
    verifier = next(iter(browser.console.begun._begun.values()))[1].verifier
    secrets = [SUBJECT, SECRET, verifier, *provider.said]
    with ledger.reading() as session:
        stored = [
            str([getattr(row, column.name) for column in model.__table__.columns])
            for model in Private.__subclasses__()
            for row in session.query(model)
        ]
        assert session.query(Identity).count() == 1
    everything = [str(ledger.events()), *stored, "".join(capfd.readouterr()), repr(browser.console)]
    everything += [
        one for one in caplog.messages if "http://localhost:8765" not in one
    ]  # what the test itself asks for
    everything += [str(one.headers) + one.text for one in shown]
    files = b"".join(one.read_bytes() for one in browser.console.home.root.glob("ledger.db*"))
    for secret in secrets:
        assert not [one for one in everything if secret in one], secret
        assert secret.encode() not in files
        assert secret not in url
    assert len(provider.said) >= 8


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('issuer = "https://id.example.org"', "console.oidc"),
        ('client_id = "gate"', "console.oidc"),
        ('issuer = "http://id.example.org"\nclient_id = "gate"', "console.oidc"),
        ('issuer = "http://localhost.evil.example"\nclient_id = "gate"', "console.oidc"),
        ('issuer = "https://id.example.org/?a=b"\nclient_id = "gate"', "console.oidc.issuer"),
        ('issuer = "https://u:canary@id.example.org"\nclient_id = "gate"', "console.oidc.issuer"),
        ('issuer = "https://id.example.org"\nclient_id = "gate"\nscopes = ["profile"]', "console.oidc"),
        ('issuer = "https://id.example.org"\nclient_id = "gate"\nmax_minutes = 0', "console.oidc.max_minutes"),
    ],
)
def test_a_configuration_that_is_unsafe_or_half_is_refused(tmp_path: Path, text: str, named: str) -> None:
    from flows.home.config import read

    path = tmp_path / "sluicegate.toml"
    path.write_text(f"[console.oidc]\n{text}\n")
    with pytest.raises(Usage, match=named) as refused:
        read(path)
    assert "canary" not in str(refused.value)
    path.write_text("[console]\npasswords = false\n")
    with pytest.raises(Usage, match=r"console\.oidc\.issuer"):
        read(path)
