"""A small authority of one's own, for those who run containers: the certificates by which PostgreSQL and the services
that use it prove who they are. Each is made when it is missing, and made again long before it expires.

Each lies in a folder of its own, which one service alone sees: `own.pem` (0600) has the certificate and its key, and
`authority.pem` says whom to trust. The authority's own key lies in `authority`, and no service sees it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pipelines.lake import durable

AUTHORITY, OWN, TRUSTED = "authority", "own.pem", "authority.pem"
_AUTHORITY_FOR, _SERVER_FOR, _CLIENT_FOR = timedelta(days=3650), timedelta(days=365), timedelta(days=7)
_SKEW = timedelta(minutes=5)  # of clocks that differ
_SIGNS = x509.KeyUsage(False, False, False, False, False, True, False, False, False)


@dataclass(frozen=True)
class _Held:
    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


def renew(folder: Path, server: str, clients: Iterable[str], now: datetime) -> list[str]:
    """Makes in `folder` what is missing, or is past a third of its time: the authority, the certificate of the server
    (for its name as a host, and for localhost) and one for each client, whose name is its role. Gives whose it made."""
    made, authority = [], _read(folder / AUTHORITY)
    if authority is None or _is_old(authority.certificate, now):
        authority = _signed("Sluicegate's own authority", None, _AUTHORITY_FOR, now, [_SIGNS])
        _write(folder / AUTHORITY, authority, authority)
        made.append(AUTHORITY)
    hosts = x509.SubjectAlternativeName([x509.DNSName(server), x509.DNSName("localhost")])
    wanted = [(server, _SERVER_FOR, [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), hosts])]
    proves = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    wanted += [(name, _CLIENT_FOR, [proves]) for name in clients]
    for name, valid, extensions in wanted:
        found = _read(folder / name)
        if made[:1] == [AUTHORITY] or found is None or _is_old(found.certificate, now):
            _write(folder / name, _signed(name, authority, valid, now, extensions), authority)
            made.append(name)
    return made


def _is_old(certificate: x509.Certificate, now: datetime) -> bool:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return not begins <= now < begins + (ends - begins) / 3


def _signed(
    name: str, by: _Held | None, valid: timedelta, now: datetime, extensions: Iterable[x509.ExtensionType]
) -> _Held:
    """A certificate with a new key; without `by` it signs itself, and others."""
    key, subject = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = by.key if by else key
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + valid)
        .add_extension(x509.BasicConstraints(by is None, 0 if by is None else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    for one in extensions:
        built = built.add_extension(one, critical=not isinstance(one, x509.SubjectAlternativeName))
    return _Held(built.sign(signer, SHA256()), key)


def _read(folder: Path) -> _Held | None:
    """What lies there; None: nothing that is whole."""
    try:
        pem = (folder / OWN).read_bytes()
        certificate, key = x509.load_pem_x509_certificate(pem), load_pem_private_key(pem, None)
    except (OSError, ValueError):
        return None
    return _Held(certificate, key) if isinstance(key, EllipticCurvePrivateKey) else None


def _write(folder: Path, held: _Held, authority: _Held) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = held.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    durable.write(folder / TRUSTED, authority.certificate.public_bytes(Encoding.PEM))
    durable.write(folder / OWN, held.certificate.public_bytes(Encoding.PEM) + key, mode=0o600)
