"""What a provider says of itself, and its public keys."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet, RSAKey
from pydantic import BaseModel, ConfigDict

from flows.console.oidc.errors import Unreachable

WELL_KNOWN = "/.well-known/openid-configuration"
_MOST_KEYS, _LEAST_RSA = 64, 2048
_KINDS = frozenset({"RSA", "EC", "OKP"})  # public keys: a secret that is shared proves nothing to a third


class Metadata(BaseModel):
    """The parts of the discovery document that are used here."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]

    def check(self, issuer: str) -> None:
        """Raises Unreachable unless it is of this issuer, and all its places are reached as safely as that."""
        places = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        if self.issuer != issuer or not all(_safe(place, issuer) for place in places):
            raise Unreachable


def _safe(place: str, issuer: str) -> bool:
    """Over TLS; without it only at localhost, where the issuer is."""
    try:
        parts, known = urlsplit(place), urlsplit(issuer)
    except ValueError:
        return False
    if parts.fragment or parts.username or not parts.hostname or not place.isascii() or not place.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == known.scheme and parts.hostname == known.hostname)


def key_set(said: Any) -> KeySet:
    """The keys that may verify a signature; raises Unreachable if there is none. What is no such key is left out."""
    found = said.get("keys") if isinstance(said, dict) else None
    keys = list(_public(found[:_MOST_KEYS])) if isinstance(found, list) else []
    if not keys:
        raise Unreachable
    return KeySet(keys)


def _public(found: Iterable[Any]) -> Iterable[Any]:
    for one in found:
        if not isinstance(one, dict) or one.get("kty") not in _KINDS or one.get("use", "sig") != "sig":
            continue
        try:
            key = JWKRegistry.import_key(one)
        except (JoseError, ValueError, TypeError):
            continue
        if not isinstance(key, RSAKey) or key.public_key.key_size >= _LEAST_RSA:
            yield key
