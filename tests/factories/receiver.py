"""An HTTP server that keeps what it is sent: for notifications, pings, traces, metrics and lineage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread


@dataclass
class Receiver:
    """`got`: (method, path, body) of each request; `raw`: path and body as bytes; `status`: what it answers; `headers`:
    of the newest request, in small letters."""

    port: int = 0
    status: int = 200
    got: list[tuple[str, str, str]] = field(default_factory=list)
    raw: list[tuple[str, bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def receiver() -> Iterator[Receiver]:
    """One that listens on a port of its own."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.got.append((self.command, self.path, body.decode(errors="replace")))
            kept.raw.append((self.path, body))
            kept.headers = {name.lower(): said for name, said in self.headers.items()}
            self.send_response(kept.status)
            self.end_headers()

        do_GET = do_POST = _answer

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
