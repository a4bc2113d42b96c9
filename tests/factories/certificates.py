"""Certificates for tests: one that signs itself, or an authority and what it signs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

AUTHORITY = "an authority of tests"


@dataclass(frozen=True)
class Made:
    """A certificate, and its private key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def weak_rsa() -> Any:
    return rsa.generate_private_key(65537, 2048)


def strong_ec() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def own(host: str, key: Any = None, days: int = 90) -> Made:
    """One that signs itself."""
    return _made(host, key or strong_ec(), days, None)


def authority() -> Made:
    """Signs others."""
    return _made(AUTHORITY, strong_ec(), 90, None, authority=True)


def signed(host: str, by: Made, days: int = 90) -> Made:
    """One that an authority signs."""
    return _made(host, strong_ec(), days, by)


def _made(name: str, key: Any, days: int, by: Made | None, authority: bool = False) -> Made:
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = by.key if by else key
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=100))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not authority:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    else:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        built = built.add_extension(usage, critical=True)
    return Made(built.sign(signer, hashes.SHA256()), key)


def put(folder: Path, made: Made, *chain: Made, name: str = "gate") -> None:
    """Writes it, with the chain, and its key that nobody else may read."""
    (folder / f"{name}.pem").write_bytes(b"".join(one.pem for one in (made, *chain)))
    (folder / f"{name}.key").touch(mode=0o600)
    (folder / f"{name}.key").write_bytes(made.key_pem)
