"""Asks a provider: over TLS, soon or not at all, no further than it was asked, and no more than so many bytes."""

import ssl
import time
from functools import cache
from typing import Any

import httpx2

from flows.console.oidc.errors import Unreachable

MOST_BYTES, SECONDS = 256 * 1024, 5.0  # of an answer; without a byte
_WHOLE = 10.0  # seconds for the body of an answer
OPTIONS: dict[str, Any] = {"timeout": SECONDS, "follow_redirects": False, "trust_env": False}


class Bounded(httpx2.BaseTransport):
    """Gives whole answers only. Raises Unreachable for one that leads elsewhere, is packed, too big or too slow."""

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport(verify=_trusted())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One answer, read here: nobody reads on."""
        request.headers["Accept-Encoding"] = "identity"
        answer = self._inner.handle_request(request)
        try:
            packed = answer.headers.get("content-encoding", "identity") != "identity"
            if 300 <= answer.status_code < 400 or packed:
                raise Unreachable
            return httpx2.Response(answer.status_code, content=_read(answer), request=request)
        finally:
            answer.close()

    def close(self) -> None:
        """Ends its connections."""
        self._inner.close()


def _read(answer: httpx2.Response) -> bytes:
    body, end = bytearray(), time.monotonic() + _WHOLE
    for part in answer.iter_raw():
        body += part
        if len(body) > MOST_BYTES or time.monotonic() > end:
            raise Unreachable
    return bytes(body)


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts, one's own included."""
    return ssl.create_default_context()
