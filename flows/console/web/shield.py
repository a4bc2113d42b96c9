"""Around every answer: for whom it is, what a browser may do with it, and that no fault says anything."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.console.web import problems
from flows.console.web.place import Place
from flows.console.web.watch import Sight, Watch

STATIC = "/static/"
POLICY = (
    "default-src 'none'; object-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=63072000; includeSubDomains"


def headers(place: Place) -> Mapping[str, str]:
    """What every answer from this place carries, whoever makes it. HTTP without TLS must not ask for TLS (RFC 6797)."""
    return {**HEADERS, **({"Strict-Transport-Security": HSTS} if place.secure else {})}


class Shield:
    """The outermost layer of the console."""

    def __init__(self, app: ASGIApp, place: Place, watch: Watch) -> None:
        self._app, self._place, self._watch = app, place, watch
        self._headers = headers(place)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def shielded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._add(MutableHeaders(scope=message), scope, message["status"])
            await send(message)

        if Headers(scope=scope).getlist("host") != [self._place.host]:  # another name may lead here: DNS rebinding
            self._watch.note(Sight.HOST, (scope.get("client") or ("",))[0])
            await problems.page(400)(scope, receive, shielded)
            return
        try:
            await self._app(scope, receive, shielded)
        except Exception as error:
            answer = problems.fault(error)
            if not begun:
                await answer(scope, receive, shielded)

    def _add(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        for name, value in self._headers.items():
            headers[name] = value
        static = scope["path"].startswith(STATIC) and status == 200
        headers["Cache-Control"] = "max-age=600" if static else "no-store"
