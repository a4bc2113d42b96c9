"""The pages at the door: sign in, sign out, an invitation."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from expectations.base.errors import BadInput
from flows.console import statements
from flows.console.statements import to_text
from flows.console.web import proof
from flows.console.web.back import back_to
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.console.web.watch import Sight
from flows.ledger.facts import Failure, Way


def sign_in_page(visit: Visit) -> Response:
    """The form; whoever is signed in is brought on."""
    asked = visit.request.query_params
    back = back_to(asked.get("next", "/"))
    if visit.entered:
        return visit.to(back)
    nonce = visit.console.asked.give()
    passkey = {"nonce": to_text(nonce), "ask": proof.ask(visit, nonce, {})}
    wrong = asked.get("wrong", "")
    given = {"back": back, "wrong": wrong, "ready": "ready" in asked, "passkey": passkey, **_ways(visit)}
    return visit.page("sign-in.html", **given)


def _ways(visit: Visit) -> dict[str, Any]:
    """What this console offers beside passkeys: passwords, and the provider, by what its button is called."""
    said, provider = visit.console.home.config.console, visit.console.provider
    return {"passwords": said.passwords, "provider": provider and provider.said.label}


def by_passkey(visit: Visit) -> Response:
    """A passkey: a session, or the form again."""
    visit.try_often(Way.PASSKEY)
    console, back, token = visit.console, back_to(visit.form.get("next", "/")), None
    by = proof.answered(visit, statements.keys_at(console.ledger, console.place.origin))
    if by is not None:
        token = console.entrance.by_passkey(*by, visit.at)
    if token is None:
        visit.seen(Sight.SIGN_IN_FAILED)
        return visit.to(f"/sign-in?{urlencode({'wrong': 'passkey', 'next': back})}")
    visit.seen(Sight.SIGNED_IN)
    return visit.keep(visit.to(back), token)


def sign_in(visit: Visit) -> Response:
    """A name and a password: on to where a key is shown, or the form again, with the same words whatever was wrong."""
    _passwords_are_on(visit)
    name, back = visit.form.get("name", "").strip(), back_to(visit.form.get("next", "/"))
    visit.try_often(Way.PASSWORD, name)
    token = visit.console.entrance.by_password(name, visit.form.get("password", ""), visit.at)
    if token is None:
        visit.seen(Sight.SIGN_IN_FAILED)
        return visit.to(f"/sign-in?{urlencode({'wrong': '1', 'next': back})}")
    visit.seen(Sight.SIGNED_IN, name)
    return visit.keep(visit.to(proof.first(back)), token)


def sign_out(visit: Visit) -> Response:
    """Ends the session here and in the browser."""
    visit.console.entrance.sign_out(visit.signed_in)
    return visit.ended()


def invitation_page(visit: Visit) -> Response:
    """Where the code of an invitation is given: no URL that a server sees has it."""
    return visit.page("code.html")


def invitation(visit: Visit) -> Response:
    """With a code alone the form that sets a password; with one, sets it, once. Then one signs in with it."""
    visit.try_often(Way.INVITATION)
    token, password = visit.form.get("token", "").strip(), visit.form.get("password")
    if password is None:
        return _form(visit, token)
    _passwords_are_on(visit)
    if password != visit.form.get("again", ""):
        return _form(visit, token, "The two are not the same.")
    try:
        visit.console.entrance.set_password(token, password, visit.at)
    except BadInput as error:
        return _form(visit, token, f"{error.message}.")
    return visit.ended("/sign-in?ready=1")


def _form(visit: Visit, token: str, wrong: str = "") -> Response:
    operator = visit.console.entrance.invited(token)
    if operator is None:
        visit.console.entrance.failed(None, Way.INVITATION, Failure.WRONG, visit.at)
        raise Problem(410)
    wrong = f"{wrong[:1].upper()}{wrong[1:]}"
    given = {"operator": operator, "token": token, "wrong": wrong, **_ways(visit)}
    return visit.page("invitation.html", 422 if wrong else 200, **given)


def _passwords_are_on(visit: Visit) -> None:
    """Raises Problem where the configuration has no passwords: no page has the form then."""
    if not visit.console.home.config.console.passwords:
        raise Problem(404)
