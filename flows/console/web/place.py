"""Where the console is: the one origin that browsers know it by, and whether it speaks TLS."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from expectations.base.errors import Usage
from flows.home.secret import Secret
from flows.home.tree import Home

_PORTS = {"http": 80, "https": 443}
LOCALHOST = "localhost"
_LOOPBACK = (LOCALHOST, "127.0.0.1", "::1")
_REMEDY = "Name console.certificate and console.key in sluicegate.toml, or stay at localhost."


@dataclass(frozen=True)
class Place:
    """`origin` and `host` as browsers write them; `port`: where it listens. `certificate` and `key`: both, or none;
    `authority`: who signs the certificate, if this machine does not know."""

    origin: str
    host: str
    port: int
    certificate: Path | None = None
    key: Secret | None = None
    authority: Path | None = None
    # Browsers take it from this host alone, and send it over TLS or at localhost alone.
    cookie: ClassVar[str] = "__Host-sluicegate"

    @classmethod
    def of(cls, home: Home, port: int | None = None) -> "Place":
        """As sluicegate.toml says; with another port, where it listens, and without TLS is known. Raises Usage for an
        origin elsewhere than at localhost without TLS, or half a certificate."""
        said = home.config.console
        certificate, authority = (home.root / name if name else None for name in (said.certificate, said.authority))
        key = said.key
        if key and key.file:
            key = Secret(file=str(home.root / key.file))
        if (certificate is None) is not (key is None):
            what = "a certificate needs its private key, and a key its certificate"
            raise Usage("CONSOLE_TLS", what, where="console.certificate, console.key", remedy="Name both, or none.")
        parts = urlsplit(said.origin)
        if (parts.scheme == "https") is not (certificate is not None):
            what = "an origin has https if there is a certificate, and http if there is none"
            raise Usage("CONSOLE_ORIGIN", what, where="console.origin", remedy=_REMEDY)
        if certificate is None and parts.hostname != LOCALHOST:
            what = "without TLS the console is at localhost only"
            raise Usage("CONSOLE_ORIGIN", what, where="console.origin", remedy=_REMEDY)
        default = _PORTS[parts.scheme]
        known = parts.port or default
        if certificate is None:
            known = port or known
        host = f"{parts.hostname}" if known == default else f"{parts.hostname}:{known}"
        return cls(f"{parts.scheme}://{host}", host, port or known, certificate, key, authority)

    @property
    def site(self) -> str:
        """The domain that passkeys are made for."""
        return self.host.partition(":")[0]

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.certificate is not None

    def is_ours(self, headers: Headers) -> bool:
        """Whether a form was sent from a page of ours. Pages that name no referrer have the origin `null`: then the
        browser must say by itself that it was the same site."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in (None, "same-origin"):
            return False
        return site == "same-origin" if origin in (None, "null") else origin == self.origin

    def check(self, address: str) -> None:
        """Raises Usage if it may not be served at this address."""
        if not self.secure and address not in _LOOPBACK:
            what = "without TLS the console is served on this machine only"
            raise Usage("CONSOLE_WITHOUT_TLS", what, where="--address", remedy=_REMEDY)
