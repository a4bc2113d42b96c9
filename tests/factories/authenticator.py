"""An authenticator in software: passkeys and their signatures, right and wrong in every way that a test asks for."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from flows.ledger.passkeys import Assertion, Passkey, challenge, nonce

SITE, ORIGIN = "localhost", "http://localhost:4300"
PRESENT, VERIFIED, MADE = 0x01, 0x04, 0x40  # flags of the authenticator's data


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One passkey, for one site. `es256`: the other algorithm."""

    es256: bool = False
    site: str = SITE
    origin: str = ORIGIN
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    count: int = 0

    def __post_init__(self) -> None:
        self.private: Any = ec.generate_private_key(ec.SECP256R1()) if self.es256 else _ed25519()

    @property
    def cose(self) -> bytes:
        public = self.private.public_key()
        if self.es256:
            numbers = public.public_numbers()
            key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        else:
            key = {1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()}
        return cbor2.dumps(key)

    @property
    def passkey(self) -> Passkey:
        return Passkey(self.site, self.origin, self.id, self.cose)

    @property
    def line(self) -> str:
        return self.passkey.line

    def sign(self, text: bytes, use: str, **wrong: Any) -> str:
        """Its signature of `text`, as the ledger keeps it. `wrong`: what it says instead of what it should."""
        once = wrong.pop("nonce", None) or nonce()
        asked = wrong.pop("challenge", None) or challenge(text, use, once)
        return Assertion(wrong.pop("by", self.line), wrong.pop("said_use", use), once, *self.parts(asked, **wrong)).text

    def register(self, asked: bytes, *, cose: bytes | None = None, **wrong: Any) -> dict[str, Any]:
        """What a browser answers once the passkey is made, attested by nobody. `wrong`: see `parts`."""
        key = cose or self.cose
        flags = wrong.pop("flags", PRESENT | VERIFIED) | MADE
        data, text, _ = self.parts(asked, flags=flags, **{"kind": "webauthn.create", **wrong})
        data += bytes(16) + struct.pack(">H", len(self.id)) + self.id + key
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"clientDataJSON": b64(text), "attestationObject": b64(attested)}
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": response}

    def parts(
        self,
        asked: bytes,
        *,
        flags: int = PRESENT | VERIFIED,
        kind: str = "webauthn.get",
        origin: str | None = None,
        site: str | None = None,
        **client: Any,
    ) -> tuple[bytes, bytes, bytes]:
        """Authenticator data, client data, signature."""
        self.count += 1
        named = hashlib.sha256((site or self.site).encode()).digest()
        data = named + bytes([flags]) + struct.pack(">I", self.count)
        said = {"type": kind, "challenge": b64(asked), "origin": origin or self.origin, "crossOrigin": False, **client}
        text = json.dumps(said).encode()
        signed = data + hashlib.sha256(text).digest()
        how = (ec.ECDSA(hashes.SHA256()),) if self.es256 else ()
        return data, text, self.private.sign(signed, *how)


def _ed25519() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()
