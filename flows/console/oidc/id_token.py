"""The ID token: whom a provider names, to whom, when, and how it knows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from flows.console.oidc.errors import NotProven
from flows.home.serving import Oidc

# Signatures with a public key only: neither none, nor a secret that is shared.
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
_MOST, _MOST_SUBJECT = 16 * 1024, 255
_TYPES = (None, "jwt")  # of a token; others are for other uses
# What each means is (RFC 8176): several of one kind are one factor. Words of a provider's own are of no kind.
_KINDS = (
    frozenset({"pwd", "pin", "kba"}),  # something that one knows
    frozenset({"otp", "sms", "tel", "hwk", "swk", "sc"}),  # that one has
    frozenset({"face", "fpt", "iris", "retina", "vbm"}),  # that one is
)
_SEVERAL = "mfa"


@dataclass(frozen=True)
class Named:
    """Whom a provider names. `both`: that it took two factors is demanded of it, and proven."""

    subject: str
    both: bool


@dataclass(frozen=True)
class Expected:
    """What it must say. `now`, `skew`: the clock that it is judged by."""

    said: Oidc
    nonce: str
    now: datetime
    skew: timedelta

    @property
    def at(self) -> int:
        return int(self.now.timestamp())

    @property
    def leeway(self) -> int:
        return int(self.skew.total_seconds())


def named(text: Any, access_token: Any, keys: KeySet, expected: Expected) -> Named:
    """Whom it names, and how surely; raises NotProven, or JoseError, if it does not prove that to us, now."""
    if not isinstance(text, str) or len(text) > _MOST:
        raise NotProven
    token = jwt.decode(text, keys, algorithms=list(ALGORITHMS), registry=_REGISTRY)
    kind = token.header.get("typ")
    if (kind.casefold() if isinstance(kind, str) else kind) not in _TYPES:
        raise NotProven
    said = expected.said
    options: Any = {name: {"essential": True} for name in ("sub", "exp", "iat", "nonce")}
    options["iss"] = {"essential": True, "value": said.issuer}
    options["aud"] = {"essential": True, "value": said.client_id}
    params = {"nonce": expected.nonce, "client_id": said.client_id, "access_token": access_token}
    claims = CodeIDToken(token.claims, token.header, options, params)
    claims.validate(expected.at, expected.leeway)
    _ours_alone(claims, said)
    _as_demanded(claims, expected)
    found = claims["sub"]
    if not isinstance(found, str) or not 0 < len(found) <= _MOST_SUBJECT:
        raise NotProven
    return Named(found, _demands_both(said))


def _demands_both(said: Oidc) -> bool:
    """The one place that says when a provider counts as two factors: where a class of sign-in, several factors or means
    of two kinds are demanded of it. What was not demanded proves nothing: each provider signs in by what it likes."""
    means = set(said.amr)
    return bool(said.acr) or _SEVERAL in means or sum(bool(means & kind) for kind in _KINDS) > 1


def _ours_alone(claims: CodeIDToken, said: Oidc) -> None:
    """A token that is for others as well may come from them."""
    if claims["aud"] not in (said.client_id, [said.client_id]):
        raise NotProven


def _as_demanded(claims: CodeIDToken, expected: Expected) -> None:
    """How, and when, the provider itself signed somebody in."""
    said, means = expected.said, claims.get("amr", [])
    if said.acr and claims.get("acr") not in said.acr:
        raise NotProven
    if not isinstance(means, list) or any(one not in means for one in said.amr):
        raise NotProven
    if said.max_minutes is not None:
        at = claims.get("auth_time")
        if isinstance(at, bool) or not isinstance(at, int):
            raise NotProven
        if not -expected.leeway <= expected.at - at <= said.max_minutes * 60 + expected.leeway:
            raise NotProven
