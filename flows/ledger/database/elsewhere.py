"""PostgreSQL on another machine is reached by TLS only, and only if its certificate is of a named authority and for its
name. By itself the driver would go on in plaintext where the server offers no TLS."""

import os
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import URL

from expectations.base.errors import Usage

_REMEDY = "Add sslmode=verify-full and sslrootcert=FILE (of the authority; or system) to the ledger's URL."


def check(url: URL) -> None:
    """Raises Usage for a server elsewhere without verified TLS, never quoting the URL."""
    if all(map(_here, _hosts(url))) and not _said(url, "service", "PGSERVICE"):
        return
    mode, authority = _said(url, "sslmode", "PGSSLMODE"), _said(url, "sslrootcert", "PGSSLROOTCERT")
    if mode != ["verify-full"] or len(authority) != 1:
        what = "PostgreSQL is on another machine, and nothing says whose certificate it must have"
        raise Usage("LEDGER_PLAIN", what, where="ledger", remedy=_REMEDY)
    if authority != ["system"] and not Path(authority[0]).is_file():
        what = "the file of the authority, from which PostgreSQL has its certificate, is not there"
        raise Usage("LEDGER_PLAIN", what, where="ledger", remedy=_REMEDY)


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
