"""Signatures that a browser makes with a passkey (WebAuthn Level 3), kept so that anybody can verify them later.

A passkey signs no text: it signs a challenge, for the site that it was made for. Ours is SHA-256 over a nonce, the use
and the text, so that an assertion is over exactly this text, for this use, and never twice the same. `webauthn`
verifies; what it needs is in the key's line and in the signature, both plain text, and in no other place.
"""

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expectations.base.digests import canonical_json

KIND = "webauthn"  # where a line of authorized_keys has ssh-ed25519
_NONCE = 32  # bytes
_LONGEST = 16_384  # characters of a line, or of a signature: real ones have about 1,000
# COSE: EdDSA, which Chromium picks, and ES256, which every authenticator has
ALGORITHMS = (-8, -7)
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+)(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Passkey:
    """A public key made by an authenticator. `site`: the domain that it signs for; `origin`: where the page stands that
    may ask it; `id`: of the credential; `key`: as COSE."""

    site: str
    origin: str
    id: bytes
    key: bytes

    @property
    def line(self) -> str:
        """As an operator's public key is written: its kind, and all of it in base64."""
        said = {"site": self.site, "origin": self.origin, "id": _text(self.id), "key": _text(self.key)}
        return f"{KIND} {base64.b64encode(canonical_json(said)).decode('ascii')}"

    @classmethod
    def of(cls, line: str) -> "Passkey | None":
        """The passkey that a line is; None if it is none of ours, or is written in any other way."""
        kind, _, blob = line.partition(" ")
        if kind != KIND or len(line) > _LONGEST:
            return None
        try:
            said = json.loads(base64.b64decode(blob, validate=True))
            found = cls(said["site"], said["origin"], _bytes(said["id"]), _bytes(said["key"]))
            return found if found.line == line and found._is_ours() else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def _is_ours(self) -> bool:
        """A key of an algorithm that we take, for the page of this site: over TLS, but on this machine itself."""
        from webauthn.helpers import decode_credential_public_key

        place = _ORIGIN.fullmatch(self.origin)
        if place is None or not (place[1] == self.site or place[1].endswith(f".{self.site}")):
            return False
        if self.origin.startswith("http:") and self.site != "localhost":
            return False
        try:
            return bool(self.id) and decode_credential_public_key(self.key).alg in ALGORITHMS
        except Exception:  # whatever the library stumbles over, it is no key
            return False


@dataclass(frozen=True)
class Assertion:
    """What an authenticator signed, with what verifies it. `by`: the line of the key; `use`: the namespace."""

    by: str
    use: str
    nonce: bytes
    authenticator: bytes
    client: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """As it is kept. There is one way to write it."""
        parts = {name: _text(getattr(self, name)) for name in ("nonce", "authenticator", "client", "signature")}
        return canonical_json({"by": self.by, "use": self.use, **parts}).decode()

    @classmethod
    def of(cls, text: str) -> "Assertion | None":
        """The assertion that a text is; None if it is none, or is written in any other way."""
        if not text.startswith("{") or len(text) > _LONGEST:
            return None
        try:
            said = json.loads(text)
            parts = (_bytes(said[name]) for name in ("nonce", "authenticator", "client", "signature"))
            found = cls(said["by"], said["use"], *parts)
            return found if found.text == text and len(found.nonce) == _NONCE else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    @classmethod
    def answered(cls, answer: Mapping[str, Any], by: str, use: str, nonce: bytes) -> "Assertion":
        """Of what a browser answered (PublicKeyCredential.toJSON). Raises ValueError if it is no assertion."""
        try:
            response = answer["response"]
            parts = (_bytes(response[name]) for name in ("authenticatorData", "clientDataJSON", "signature"))
            return cls(by, use, nonce, *parts)
        except (KeyError, TypeError, AttributeError):
            raise ValueError("no assertion") from None


def nonce() -> bytes:
    """A new one, for one challenge."""
    return secrets.token_bytes(_NONCE)


def challenge(text: bytes, use: str, nonce: bytes) -> bytes:
    """What an authenticator is to sign over `text`: 32 bytes. The lengths are fixed, or end with a byte that no use
    has, so that no two texts share one."""
    return hashlib.sha256(nonce + use.encode() + b"\0" + text).digest()


def made(answer: Mapping[str, Any], asked: bytes, site: str, origin: str) -> Passkey:
    """The passkey that an authenticator made, of what the browser answered. `asked`: the challenge of that time.

    Who attests it is not asked: two operators sign that it is enrolled. Raises ValueError if it is none that we take.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    try:
        found = verify_registration_response(
            credential=dict(answer),
            expected_challenge=asked,
            expected_rp_id=site,
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
        )
    except Exception as error:  # whatever the library stumbles over, it is no passkey
        raise ValueError(f"no passkey: {type(error).__name__}") from None
    passkey = Passkey(site, origin, found.credential_id, found.credential_public_key)
    if Passkey.of(passkey.line) is None:
        raise ValueError("no passkey of this site")
    return passkey


def is_good(text: bytes, signature: str, line: str, use: str) -> bool:
    """Whether this passkey signed exactly this text, for this use, after it knew who its user is."""
    from webauthn import verify_authentication_response

    key, said = Passkey.of(line), Assertion.of(signature)
    if key is None or said is None or (said.by, said.use) != (line, use):
        return False
    response = {
        "authenticatorData": _text(said.authenticator),
        "clientDataJSON": _text(said.client),
        "signature": _text(said.signature),
    }
    id = _text(key.id)
    try:
        if json.loads(said.client).get("crossOrigin") not in (None, False):
            return False  # a page within another's: its user may not have seen what was asked
        verify_authentication_response(
            credential={"id": id, "rawId": id, "type": "public-key", "response": response},
            expected_challenge=challenge(text, use, said.nonce),
            expected_rp_id=key.site,
            expected_origin=key.origin,
            credential_public_key=key.key,
            credential_current_sign_count=0,  # not kept: many passkeys do not count, and each challenge is new
            require_user_verification=True,
        )
    except Exception:  # whatever is wrong with it, it is no signature of this key
        return False
    return True


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    """Raises ValueError unless it is base64url without padding."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, TypeError):
        raise ValueError("no base64url") from None
    if _text(data) != text:
        raise ValueError("no base64url")
    return data
