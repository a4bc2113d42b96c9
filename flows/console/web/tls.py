"""The console's TLS: 1.2 and 1.3, only suites that encrypt and authenticate in one step with keys of their own for each
connection; a certificate whose key is strong enough, and that browsers can trust; failed handshakes are counted."""

import os
import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from expectations.base.errors import Usage
from flows.console.web.place import LOCALHOST, Place
from flows.console.web.watch import Sight, Watch
from flows.operations import logs

SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all of that kind
_RSA_BITS, _EC_BITS = 3072, 256  # each as strong as 128 bits
_WHERE, _STEPS, _DAYS = "console.certificate, console.key", 10, 30


def context(place: Place) -> ssl.SSLContext:
    """What the console serves with. Raises Usage if its certificate or key cannot be read, are too weak, or would not
    be trusted by browsers."""
    assert place.certificate is not None and place.key is not None, "the place speaks TLS"
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(SUITES)
    made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    key = place.key.read("console.key")
    try:
        _load(made, place.certificate, key)
        leaf = _leaf(place.certificate)
    except (OSError, ValueError):  # errors of TLS are such
        what = "the certificate or its key cannot be read, or they do not belong together"
        raise Usage("CONSOLE_TLS", what, where=_WHERE) from None
    _strong(leaf)
    if place.site != LOCALHOST:
        _trusted(made, place)
    return made


def watched(made: ssl.SSLContext, watch: Watch) -> ssl.SSLContext:
    """The same, and each handshake that fails is counted: nothing else would tell of it."""

    class Watched(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError:
                watch.note(Sight.TLS)
                raise

    made.sslobject_class = Watched
    return made


def soon_over(place: Place, now: datetime) -> None:
    """Says so in the log if the certificate ends within a month."""
    assert place.certificate is not None, "the place speaks TLS"
    days = (_leaf(place.certificate).not_valid_after_utc - now).days
    if days < _DAYS:
        logs.tell("console.certificate", f"console: the certificate ends in {days} days", days=days)


def _load(made: ssl.SSLContext, certificate: Path, key: str) -> None:
    """The key may come from anywhere, and OpenSSL reads files: one in memory, that has no name."""
    with os.fdopen(os.memfd_create("key"), "wb") as held:
        held.write(key.encode())
        held.flush()
        made.load_cert_chain(certificate, f"/proc/self/fd/{held.fileno()}", password="")


def _leaf(certificate: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificates(certificate.read_bytes())[0]


def _strong(leaf: x509.Certificate) -> None:
    """Raises Usage for a key that is weaker than 128 bits."""
    key = leaf.public_key()
    if isinstance(key, RSAPublicKey):
        strong = key.key_size >= _RSA_BITS
    elif isinstance(key, EllipticCurvePublicKey):
        strong = key.curve.key_size >= _EC_BITS
    else:
        strong = isinstance(key, Ed25519PublicKey | Ed448PublicKey)
    if not strong:
        what = f"the key of the certificate is too weak: RSA needs {_RSA_BITS} bits, an elliptic curve {_EC_BITS}"
        remedy = "Make another key, and have a certificate made for it."
        raise Usage("CONSOLE_TLS_WEAK", what, where=_WHERE, remedy=remedy)


def _trusted(made: ssl.SSLContext, place: Place) -> None:
    """Asks the console for a page's certificate as a browser would, in memory. Raises Usage if it is not trusted."""
    try:
        browser = ssl.create_default_context(cafile=place.authority)
    except (OSError, ssl.SSLError):
        raise Usage("CONSOLE_TLS", "the authority cannot be read", where="console.authority") from None
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = browser.wrap_bio(back, there, server_hostname=place.site), made.wrap_bio(there, back, server_side=True)
    try:
        for _ in range(_STEPS):
            for side in sides:
                _on(side)
    except ssl.SSLCertVerificationError as error:
        what = f"browsers would not trust the certificate: {error.verify_message}"
        remedy = "Take one of an authority that this machine trusts, or name your own: console.authority."
        raise Usage("CONSOLE_TLS_UNTRUSTED", what, where=_WHERE, remedy=remedy) from None


def _on(side: ssl.SSLObject) -> None:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return
