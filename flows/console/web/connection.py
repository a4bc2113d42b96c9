"""A connection of a browser, below any route: the server's own answers are pages of ours, and are counted."""

from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from flows.console.web import problems, shield
from flows.console.web.place import Place
from flows.console.web.watch import Sight, Watch

MOST = 100  # connected at a time
_NO_HTTP = b"This is no request of HTTP."


class Connection(H11Protocol):
    """As uvicorn's, which answers what is no HTTP, and whoever is one too many, without any of our headers."""

    def __init__(self, *, place: Place, watch: Watch, **given: Any) -> None:
        super().__init__(**given)
        self._place, self._watch, self._console = place, watch, self.app
        self._crowd = shield.Shield(problems.page(503, {"Retry-After": "60"}), place, watch)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if max(len(self.connections), len(self.tasks)) > MOST:
            self._watch.note(Sight.CROWDED, self._address)
            await self._crowd(scope, receive, send)
        else:
            await self._console(scope, receive, send)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def send_400_response(self, msg: str) -> None:
        """`msg` is uvicorn's, in words for developers."""
        self._watch.note(Sight.NOT_HTTP, self._address)
        said = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close", "Cache-Control": "no-store"}
        headers = {**shield.headers(self._place), **said, "Content-Length": str(len(_NO_HTTP))}
        begun = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
        for event in (begun, h11.Data(data=_NO_HTTP), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
