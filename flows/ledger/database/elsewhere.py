"""PostgreSQL on another machine is reached by TLS only, if its certificate is of a named authority and for its name,
and by a certificate of our own, never by a password. By itself the driver would go on in plaintext where the server
offers no TLS, and give a password to whoever asks for one."""

import os
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import URL

from expectations.base.errors import Usage

_REMEDY = "Add sslmode=verify-full and sslrootcert=FILE (of the authority; or system) to the ledger's URL."
_OWN = "Add sslcert=FILE and sslkey=FILE to the ledger's URL, and leave passwords out: infra/docs/install.md."
# What the driver sees to: no password is given, and the server must have asked for our certificate.
PROVEN: Mapping[str, str] = {"require_auth": "none", "sslcertmode": "require"}


def check(url: URL) -> Mapping[str, str]:
    """What a connection needs beyond its URL. Raises Usage for a server elsewhere without verified TLS, or to which we
    prove who we are by a password or not at all; never quotes the URL."""
    if all(map(_here, _hosts(url))) and not _said(url, "service", "PGSERVICE"):
        return {}
    mode, authority = _said(url, "sslmode", "PGSSLMODE"), _said(url, "sslrootcert", "PGSSLROOTCERT")
    if mode != ["verify-full"] or len(authority) != 1:
        what = "PostgreSQL is on another machine, and nothing says whose certificate it must have"
        raise Usage("LEDGER_PLAIN", what, where="ledger", remedy=_REMEDY)
    if authority != ["system"] and not Path(authority[0]).is_file():
        what = "the file of the authority, from which PostgreSQL has its certificate, is not there"
        raise Usage("LEDGER_PLAIN", what, where="ledger", remedy=_REMEDY)
    if url.password or any(_said(url, one, f"PG{one.upper()}") for one in ("password", "passfile")):
        what = "PostgreSQL is on another machine, and is to be given a password, which does not change"
        raise Usage("LEDGER_PASSWORD", what, where="ledger", remedy=_OWN)
    own = [_said(url, one, f"PG{one.upper()}") for one in ("sslcert", "sslkey")]
    if not all(len(one) == 1 and Path(one[0]).is_file() for one in own):
        what = "PostgreSQL is on another machine, and there is no certificate by which it knows us"
        raise Usage("LEDGER_UNPROVEN", what, where="ledger", remedy=_OWN)
    return PROVEN


def hosts(url: URL) -> list[str]:
    """The machines on which it may be; empty if it is on this one."""
    return [host for host in _hosts(url) if not _here(host)]


def _hosts(url: URL) -> Iterator[str]:
    """Where the driver would connect: to an address rather than to a name, and without either to this machine."""
    named = [url.host] if url.host else _said(url, "host", "PGHOST")
    for said in (*named, *_said(url, "hostaddr", "PGHOSTADDR")):
        yield from said.split(",")


def _said(url: URL, name: str, variable: str) -> list[str]:
    found = url.query.get(name) or os.environ.get(variable, "")
    return [found] if found and isinstance(found, str) else list(found)


def _here(host: str) -> bool:
    """Whether it is a socket, or a name or address of this machine only."""
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
