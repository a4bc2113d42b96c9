"""Making a passkey for this console: on one's own page, or by somebody who is no operator yet. It counts once two
approvers have signed for it: nobody gives oneself a key."""

import hashlib
import json
from typing import Any

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from flows.console.statements import from_text, to_text
from flows.console.web import proposals, sign
from flows.console.web.proof import first
from flows.console.web.visit import Visit
from flows.ledger import passkeys
from flows.ledger.entrance import tokens
from flows.ledger.facts import NAME, Way
from flows.ledger.passkeys import ALGORITHMS, Passkey
from flows.ledger.proposed import Asked, Proposed
from flows.ledger.signing import fingerprint


def page(visit: Visit) -> Response:
    """The form that asks the browser to make one for who is signed in. Whoever has one here already shows it first."""
    if _must_show(visit):
        return visit.to(first("/me/passkey"))
    nonce = passkeys.nonce()
    return _page(visit, visit.signed_in.operator, nonce, _of_session(visit, nonce))


def make(visit: Visit) -> Response:
    """Shows the passkey's line, which approvers sign for. Nothing is kept here: only what is proposed and signed is."""
    if _must_show(visit):
        return visit.to(first("/me/passkey"))
    try:
        nonce = from_text(visit.form.get("nonce", ""))
        made = _made(visit, _of_session(visit, nonce))
    except ValueError:
        nonce = passkeys.nonce()
        return _page(visit, visit.signed_in.operator, nonce, _of_session(visit, nonce), _WRONG)
    return _shown(visit, made, visit.signed_in.operator)


def propose(visit: Visit) -> Response:
    """Proposes it as one more key of one's own."""
    line = visit.form.get("key", "")
    try:
        return proposals.propose(visit, Proposed.ADD_KEY, visit.signed_in.operator, Asked.about(line))
    except (BadInput, Usage) as error:
        return sign.refused(visit, error, "/me")


def new_page(visit: Visit) -> Response:
    """The form for somebody without an account: first a name, then the passkey."""
    visit.try_often(Way.PASSKEY)
    name = visit.request.query_params.get("name", "").strip()
    return _new(visit, name if NAME.match(name) else "", _NO_NAME if name and not NAME.match(name) else "")


def make_new(visit: Visit) -> Response:
    """Shows its line, to be handed over to an approver. Nothing is kept."""
    visit.try_often(Way.PASSKEY)
    name = visit.form.get("name", "")
    try:
        nonce = from_text(visit.form.get("nonce", ""))
        if not NAME.match(name) or not visit.console.asked.take(nonce):
            raise ValueError
        made = _made(visit, _of_name(name, nonce))
    except ValueError:
        return _new(visit, name if NAME.match(name) else "", _WRONG)
    return _shown(visit, made, name)


_WRONG = "Your browser made no passkey that this console takes, or the page was too old. Try once more."
_NO_NAME = "A name has letters, digits, dot, hyphen and underscore only, 64 at most."


def _new(visit: Visit, name: str, wrong: str = "") -> Response:
    nonce = visit.console.asked.give() if name else b""
    return _page(visit, name, nonce, _of_name(name, nonce), wrong)


def _must_show(visit: Visit) -> bool:
    return visit.signed_in.proved_at is None and bool(visit.passkeys())


def _page(visit: Visit, name: str, nonce: bytes, challenge: bytes, wrong: str = "") -> Response:
    options: dict[str, Any] = {
        "challenge": to_text(challenge),
        "rp": {"id": visit.console.place.site, "name": "Sluicegate"},
        "user": {"id": to_text(hashlib.sha256(name.encode()).digest()), "name": name, "displayName": name},
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "authenticatorSelection": {"userVerification": "required", "residentKey": "preferred"},
        "attestation": "none",
        "timeout": 120_000,
    }
    given = {"ask": json.dumps(options), "nonce": to_text(nonce), "name": name, "wrong": wrong}
    return visit.page("passkey.html", 422 if wrong else 200, made=visit.console.ledger.clock.machine(), **given)


def _made(visit: Visit, challenge: bytes) -> Passkey:
    """What the browser answered; raises ValueError if it is no passkey that we take."""
    place = visit.console.place
    try:
        return passkeys.made(json.loads(visit.form.get("answer", "")), challenge, place.site, place.origin)
    except (TypeError, RecursionError):
        raise ValueError("no passkey") from None


def _shown(visit: Visit, made: Passkey, name: str) -> Response:
    given: dict[str, Any] = {"line": made.line, "key": fingerprint(made.line), "operator": name}
    return visit.page("passkey-made.html", made=visit.console.ledger.clock.machine(), **given)


def _of_session(visit: Visit, nonce: bytes) -> bytes:
    """A challenge of this session, so that no other's answer fits."""
    return passkeys.challenge(tokens.for_forms(visit.token).encode(), "make", nonce)


def _of_name(name: str, nonce: bytes) -> bytes:
    """A challenge that was given out a moment ago, for this name."""
    return passkeys.challenge(name.encode(), "make-new", nonce)
