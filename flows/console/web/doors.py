"""The pages at the door: sign in, sign out, an invitation."""

import json
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from expectations.base.errors import BadInput
from expectations.base.signatures import SIGN_IN
from flows.console import statements
from flows.console.statements import from_text, to_text
from flows.console.web.back import ours as _back
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.console.web.watch import Sight
from flows.ledger import passkeys
from flows.ledger.passkeys import Assertion


def sign_in_page(visit: Visit) -> Response:
    """The form; whoever is signed in is brought on."""
    asked = visit.request.query_params
    back = _back(asked.get("next", "/"))
    if visit.entered:
        return visit.to(back)
    nonce = visit.console.asked.give()
    passkey = {"nonce": to_text(nonce), "ask": _ask(visit, nonce)}
    wrong = asked.get("wrong", "")
    given = {"back": back, "wrong": wrong, "ready": "ready" in asked, "passkey": passkey, **_ways(visit)}
    return visit.page("sign-in.html", **given)


def _ways(visit: Visit) -> dict[str, Any]:
    """What this console offers beside passkeys: passwords, and the provider, by what its button is called."""
    said, provider = visit.console.home.config.console, visit.console.provider
    return {"passwords": said.passwords, "provider": provider and provider.said.label}


def _ask(visit: Visit, nonce: bytes) -> str:
    """Options for a browser: any passkey that it has for this site, whoever's; so no name is asked for, or told."""
    place = visit.console.place
    challenge = passkeys.challenge(visit.console.entrance.sign_in_text(place.origin), SIGN_IN, nonce)
    options = {"challenge": to_text(challenge), "rpId": place.site, "userVerification": "required", "timeout": 120_000}
    return json.dumps(options)


def by_passkey(visit: Visit) -> Response:
    """A passkey: a session, or the form again."""
    visit.try_often()
    console, back = visit.console, _back(visit.form.get("next", "/"))
    token = None
    try:
        nonce, answer = from_text(visit.form.get("nonce", "")), json.loads(visit.form.get("answer", ""))
        if console.asked.take(nonce):
            line = _line(visit, answer["id"])
            signature = Assertion.answered(answer, line, SIGN_IN, nonce).text
            text = console.entrance.sign_in_text(console.place.origin)
            token = console.entrance.by_passkey(line, signature, text, visit.token)
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if token is None:
        visit.seen(Sight.SIGN_IN_FAILED)
        return visit.to(f"/sign-in?{urlencode({'wrong': 'passkey', 'next': back})}")
    visit.seen(Sight.SIGNED_IN)
    return visit.keep(visit.to(back), token)


def _line(visit: Visit, id: str) -> str:
    """The line of the passkey with this id; raises KeyError if it is nobody's here."""
    keys = statements.keys_at(visit.console.ledger, visit.console.place.origin)
    return {to_text(key.id): line for line, key in keys.items()}[id]


def sign_in(visit: Visit) -> Response:
    """A name and a password: a session, or the form again, with the same words whatever was wrong."""
    _passwords_are_on(visit)
    name, back = visit.form.get("name", "").strip(), _back(visit.form.get("next", "/"))
    visit.try_often(name)
    token = visit.console.entrance.by_password(name, visit.form.get("password", ""), visit.token)
    if token is None:
        visit.seen(Sight.SIGN_IN_FAILED)
        return visit.to(f"/sign-in?{urlencode({'wrong': '1', 'next': back})}")
    visit.seen(Sight.SIGNED_IN, name)
    return visit.keep(visit.to(back), token)


def sign_out(visit: Visit) -> Response:
    """Ends the session here and in the browser."""
    visit.console.entrance.sign_out(visit.signed_in)
    return visit.keep(visit.to("/sign-in"), "")


def invitation_page(visit: Visit) -> Response:
    """The form that sets a password."""
    visit.try_often()
    return _form(visit, visit.request.query_params.get("token", ""))


def invitation(visit: Visit) -> Response:
    """Sets it, once; then one signs in with it."""
    _passwords_are_on(visit)
    visit.try_often()
    token, password = visit.form.get("token", ""), visit.form.get("password", "")
    if password != visit.form.get("again", ""):
        return _form(visit, token, "The two are not the same.")
    try:
        visit.console.entrance.set_password(token, password)
    except BadInput as error:
        return _form(visit, token, f"{error.message[:1].upper()}{error.message[1:]}.")
    return visit.keep(visit.to("/sign-in?ready=1"), "")


def _form(visit: Visit, token: str, wrong: str = "") -> Response:
    operator = visit.console.entrance.invited(token)
    if operator is None:
        raise Problem(410)
    given = {"operator": operator, "token": token, "wrong": wrong, **_ways(visit)}
    return visit.page("invitation.html", 422 if wrong else 200, **given)


def _passwords_are_on(visit: Visit) -> None:
    """Raises Problem where the configuration has no passwords: no page has the form then."""
    if not visit.console.home.config.console.passwords:
        raise Problem(404)
