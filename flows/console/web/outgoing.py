"""Where the console's process may connect to: this machine, and hosts that the configuration names. It needs no others,
so that whatever a library, or somebody inside, would send elsewhere is refused and logged. It binds Python's sockets;
for all of the process systemd has IPAddressDeny."""

import socket
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import make_url

from flows.console.web.watch import Sight, Watch
from flows.home.tree import Home
from flows.ledger.database import elsewhere

_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")


def named(home: Home) -> frozenset[str]:
    """The hosts of the ledger's database, of addresses in `[console]`, and of `console.reaches`."""
    said = home.config.console
    return frozenset({*elsewhere.hosts(make_url(home.ledger_url)), *said.reaches, *_addresses(said.model_dump())})


def fence(hosts: frozenset[str], watch: Watch) -> None:
    """From here on this process connects to these hosts and to its own machine only; nothing undoes it."""

    def look(event: str, given: tuple[Any, ...]) -> None:
        if event not in _SENDING or _may(given[0], given[1], hosts):
            return
        watch.note(Sight.OUTGOING)
        raise PermissionError("the console connects to no such host: console.reaches")

    sys.addaudithook(look)


def _may(sending: socket.socket, address: Any, hosts: frozenset[str]) -> bool:
    if sending.family not in (socket.AF_INET, socket.AF_INET6) or not address:
        return True  # within this machine; or as it is connected already
    return _of_this_machine(address[0]) or address[0] in {one for host in hosts for one in _resolved(host)}


def _of_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _resolved(host: str) -> Iterator[str]:
    yield host
    try:
        yield from (str(found[4][0]) for found in socket.getaddrinfo(host, None))
    except OSError:  # it has no address: nothing can be sent there
        return


def _addresses(said: Any) -> Iterator[str]:
    """The host of each URL anywhere in it."""
    if isinstance(said, dict):
        said = list(said.values())
    if isinstance(said, list | tuple):
        for one in said:
            yield from _addresses(one)
    elif isinstance(said, str) and "://" in said and (host := urlsplit(said).hostname):
        yield host
