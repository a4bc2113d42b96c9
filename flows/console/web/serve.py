"""Serves the console until it is stopped: one process, no log of what was asked."""

import logging
import signal
import socket
import ssl
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from expectations.base.errors import DONE, Usage
from flows.console.web import outgoing, tls
from flows.console.web.app import make
from flows.console.web.connection import Connection
from flows.console.web.place import Place
from flows.console.web.watch import Watch
from flows.home.tree import Home

ADDRESS, _WAITING = "127.0.0.1", 128


def serve(home: Home, address: str = ADDRESS, port: int | None = None) -> int:
    """Serves it until SIGINT or SIGTERM; gives the exit code. Raises Usage if it may not be served there, or the port
    is taken."""
    place = Place.of(home, port)
    place.check(address)
    secured = tls.context(place) if place.secure else None
    app = make(home, place)
    if secured:
        tls.soon_over(place, home.clock().now())
    watch, proxies = app.state.console.watch, home.config.console.proxies
    with _listening(address, place.port) as listening:
        for name in (signal.SIGINT, signal.SIGTERM):  # the server raises them again once it has ended
            signal.signal(name, lambda *_: None)
        _hush()
        outgoing.fence(outgoing.named(home), watch)
        print(f"The console: {place.origin}\nInvite an operator: sluicegate console invite NAME --key KEY", flush=True)
        uvicorn.Server(config(app, place, watch, [str(one) for one in proxies], secured)).run([listening])
    return DONE


def _hush() -> None:
    """The server would log what exceptions say, and what was asked."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def config(
    app: ASGIApp, place: Place, watch: Watch, proxies: list[str], secured: ssl.SSLContext | None = None
) -> uvicorn.Config:
    """The server's settings. `proxies`: whose word is taken for where a request comes from; `secured`: its TLS."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        http=partial(Connection, place=place, watch=watch),  # type: ignore[arg-type]
        ws="none",
        lifespan="on",
        backlog=_WAITING,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=16 * 1024,
        ssl_context_factory=(lambda *_: tls.watched(secured, watch)) if secured else None,
    )


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
        found.listen(_WAITING)  # who comes before the server is ready waits for it
    except OSError:
        found.close()
        what, remedy = f"port {port} cannot be used there", "Name another: --port, or console.origin."
        raise Usage("PORT_TAKEN", what, where="--port, --address", remedy=remedy) from None
    return found
