"""An HTTP server that keeps what it is sent: for notifications, pings, traces, metrics, logs and lineage."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread


@dataclass
class Receiver:
    """`got`: (method, path, body) of each request; `raw`: path and body as bytes; `status`, `body`: what it answers;
    `headers`: of the newest request, in small letters; `after`: what happens once so many requests have come, before
    the newest of them is answered."""

    port: int = 0
    status: int = 200
    got: list[tuple[str, str, str]] = field(default_factory=list)
    raw: list[tuple[str, bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: dict[int, Callable[[], object]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def receiver(secure: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """One that listens on a port of its own; over TLS, if it has what that takes."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.got.append((self.command, self.path, body.decode(errors="replace")))
            kept.raw.append((self.path, body))
            kept.headers = {name.lower(): said for name, said in self.headers.items()}
            status, said = kept.status, kept.body
            if then := kept.after.get(len(kept.raw)):
                then()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{kept.url}/elsewhere")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            with suppress(OSError):  # whoever asked may have gone
                self.wfile.write(said)

        do_GET = do_POST = _answer

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
