"""Making a passkey for this console. It counts once two approvers have signed for it: nobody gives oneself a key."""

import hashlib
import json
from typing import Any

from starlette.responses import Response

from flows.console.statements import from_text, to_text
from flows.console.web.visit import Visit
from flows.ledger import passkeys
from flows.ledger.entrance import tokens
from flows.ledger.passkeys import ALGORITHMS
from flows.ledger.signing import fingerprint


def page(visit: Visit) -> Response:
    """The form that asks the browser to make one."""
    return _page(visit)


def make(visit: Visit) -> Response:
    """Shows the passkey's line, which approvers sign for. Nothing is kept here: only what they sign counts."""
    place = visit.console.place
    try:
        nonce = from_text(visit.form.get("nonce", ""))
        answer = json.loads(visit.form.get("answer", ""))
        made = passkeys.made(answer, _challenge(visit, nonce), visit.console.place.site, place.origin)
    except (ValueError, TypeError, RecursionError):
        return _page(visit, 422, "Your browser made no passkey that this console takes. Try once more.")
    given: dict[str, Any] = {"line": made.line, "key": fingerprint(made.line), "operator": visit.signed_in.operator}
    return visit.page("passkey-made.html", made=visit.console.ledger.clock.machine(), **given)


def _page(visit: Visit, status: int = 200, wrong: str = "") -> Response:
    nonce, name = passkeys.nonce(), visit.signed_in.operator
    options: dict[str, Any] = {
        "challenge": to_text(_challenge(visit, nonce)),
        "rp": {"id": visit.console.place.site, "name": "Sluicegate"},
        "user": {"id": to_text(hashlib.sha256(name.encode()).digest()), "name": name, "displayName": name},
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "authenticatorSelection": {"userVerification": "required", "residentKey": "preferred"},
        "attestation": "none",
        "timeout": 120_000,
    }
    given = {"ask": json.dumps(options), "nonce": to_text(nonce), "wrong": wrong}
    return visit.page("passkey.html", status, made=visit.console.ledger.clock.machine(), **given)


def _challenge(visit: Visit, nonce: bytes) -> bytes:
    """Of this session, so that no other's answer fits."""
    return passkeys.challenge(tokens.for_forms(visit.token).encode(), "make", nonce)
