"""Serves the console until it is stopped: one process, no forwarded headers, no log of what was asked."""

import logging
import signal
import socket

import uvicorn

from expectations.base.errors import DONE, Usage
from flows.console.web.app import make
from flows.console.web.place import Place
from flows.home.tree import Home

ADDRESS, _WAITING = "127.0.0.1", 128


def serve(home: Home, address: str = ADDRESS, port: int | None = None) -> int:
    """Serves it until SIGINT or SIGTERM; gives the exit code. Raises Usage if it may not be served there, or the port
    is taken."""
    place = Place.of(home, port)
    place.check(address)
    app = make(home, place)
    with _listening(address, place.port) as listening:
        for name in (signal.SIGINT, signal.SIGTERM):  # the server raises them again once it has ended
            signal.signal(name, lambda *_: None)
        _hush()
        print(f"The console: {place.origin}\nInvite an operator: sluicegate console invite NAME --key KEY", flush=True)
        uvicorn.Server(_config(app, place)).run([listening])
    return DONE


def _hush() -> None:
    """The server would log what exceptions say, and what was asked: an invitation's URL holds its token."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def _config(app: object, place: Place) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http="h11",
        ws="none",
        lifespan="on",
        limit_concurrency=100,
        backlog=_WAITING,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=16 * 1024,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
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
