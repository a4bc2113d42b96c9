"""A key is shown: after a password to come in, or again before something sensitive is done. By a passkey, or, without
JavaScript as well, by the signature of an SSH key over a line that the page shows."""

import json
import shlex
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.responses import Response

from expectations.base import signatures
from expectations.base.signatures import SIGN_IN
from flows.console.statements import from_text, to_text
from flows.console.web.back import back_to
from flows.console.web.visit import Visit
from flows.ledger import passkeys
from flows.ledger.facts import Failure, Way
from flows.ledger.passkeys import Assertion, Passkey

KEY = "/sign-in/key"


def first(back: str) -> str:
    """Where a key is shown before one is brought on."""
    return KEY if back == "/" else f"{KEY}?{urlencode({'next': back})}"


def page(visit: Visit) -> Response:
    """What a browser asks a passkey for, and what an SSH key signs."""
    console, query = visit.console, visit.request.query_params
    nonce, keys = console.asked.give(), visit.passkeys()
    signed = console.entrance.sign_in_text(console.place.origin, to_text(nonce)).decode()
    command = f"printf %s {shlex.quote(signed)} | ssh-keygen -Y sign -n {SIGN_IN} -f KEY"
    return visit.page(
        "key.html",
        made=console.ledger.clock.machine(),
        back=back_to(query.get("next", "/")),
        wrong="wrong" in query,
        again=visit.signed_in.proved_at is not None,
        nonce=to_text(nonce),
        ask=ask(visit, nonce, keys) if keys else "",
        command=command,
    )


def show(visit: Visit) -> Response:
    """A session in the place of this one, or the page again."""
    back, entrance, token = back_to(visit.form.get("next", "/")), visit.console.entrance, None
    by = (_by_ssh_key if visit.form.get("signature") else _by_passkey)(visit)
    if by is not None:
        token = entrance.prove(visit.signed_in, *by, visit.at)
    if token is None:
        return visit.to(f"{KEY}?{urlencode({'wrong': 1, 'next': back})}")
    return visit.keep(visit.to(back), token)


def ask(visit: Visit, nonce: bytes, keys: Mapping[str, Passkey]) -> str:
    """Options for a browser. Without keys: any passkey that it has for this site, whoever's; so no name is asked for,
    or told."""
    place = visit.console.place
    challenge = passkeys.challenge(visit.console.entrance.sign_in_text(place.origin), SIGN_IN, nonce)
    allowed = [{"type": "public-key", "id": to_text(key.id)} for key in keys.values()]
    options = {"challenge": to_text(challenge), "rpId": place.site, "userVerification": "required", "timeout": 120_000}
    return json.dumps({**options, "allowCredentials": allowed} if allowed else options)


def answered(visit: Visit, keys: Mapping[str, Passkey]) -> tuple[str, str, bytes] | None:
    """The line of one of these keys, the signature and the text that it should be over; None if what the browser sent
    is no answer of one, or was asked for too long ago."""
    console = visit.console
    try:
        nonce, answer = from_text(visit.form.get("nonce", "")), json.loads(visit.form.get("answer", ""))
        line = {to_text(key.id): line for line, key in keys.items()}[answer["id"]]
        signature = Assertion.answered(answer, line, SIGN_IN, nonce).text
    except (ValueError, KeyError, TypeError, RecursionError):
        return _none(visit, Way.PASSKEY, Failure.WRONG)
    if not console.asked.take(nonce):
        return _none(visit, Way.PASSKEY, Failure.LATE)
    return line, signature, console.entrance.sign_in_text(console.place.origin)


def _by_passkey(visit: Visit) -> tuple[str, str, bytes] | None:
    visit.try_often(Way.PASSKEY)
    return answered(visit, visit.passkeys())


def _by_ssh_key(visit: Visit) -> tuple[str, str, bytes] | None:
    visit.try_often(Way.SSH_KEY)
    console, signature = visit.console, visit.form["signature"].replace("\r\n", "\n").strip() + "\n"
    named = signatures.named(signature)
    try:
        nonce = from_text(visit.form.get("nonce", ""))
    except ValueError:
        named = None
    if named is None:
        return _none(visit, Way.SSH_KEY, Failure.WRONG)
    if not console.asked.take(nonce):
        return _none(visit, Way.SSH_KEY, Failure.LATE)
    return named[0], signature, console.entrance.sign_in_text(console.place.origin, to_text(nonce))


def _none(visit: Visit, way: Way, why: Failure) -> tuple[str, str, bytes] | None:
    known = visit.entered.operator if visit.entered else None
    visit.console.entrance.failed(known, way, why, visit.at)
    return None
