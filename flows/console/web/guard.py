"""Every request passes here: where a form comes from, whose it is, what it needs; then the route's own answer."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from urllib.parse import urlencode

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from expectations.base.errors import Transient
from flows.console.web import forms, problems
from flows.console.web.console import Console
from flows.console.web.needs import Route
from flows.console.web.problems import Problem
from flows.console.web.visit import CSRF, Visit
from flows.ledger.entrance import Entered, tokens
from flows.ledger.events.operators import Denied
from flows.ledger.roles import may

SIGN_IN = "/sign-in"
# Forms are answered by threads of their own, a few: those that wait for the ledger keep no page waiting.
_FORMS = CapacityLimiter(8)


def guarded(console: Console, route: Route) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a route."""

    async def endpoint(request: Request) -> Response:
        try:
            form = await forms.read(request) if route.method == "POST" else {}
            answered = partial(_answer, console, route, request, form)
            return await to_thread.run_sync(answered, limiter=_FORMS if route.method == "POST" else None)
        except Problem as problem:
            return problems.page(problem.status, problem.headers)
        except Transient:
            return problems.page(503, {"Retry-After": "60"})
        except Exception as error:
            return problems.fault(error)

    return endpoint


def _answer(console: Console, route: Route, request: Request, form: Mapping[str, str]) -> Response:
    if route.method == "POST" and not console.place.is_ours(request.headers):
        raise Problem(403)
    token = request.cookies.get(console.place.cookie, "")
    entered = console.entrance.entered(token)
    roles = console.roles(entered.operator) if entered else ()
    visit = Visit(console, request, form, token, entered, roles)
    if route.need.signed_in:
        if entered is None:
            return _first(visit, route)
        _allowed(visit, route, entered)
    return route.answer(visit)


def _first(visit: Visit, route: Route) -> Response:
    """Sign in, and be brought back to a page; a form that came too late is not sent again."""
    back = visit.request.url.path if route.method == "GET" else "/"
    answer = RedirectResponse(SIGN_IN if back == "/" else f"{SIGN_IN}?{urlencode({'next': back})}", 303)
    return visit.keep(answer, "") if visit.token else answer


def _allowed(visit: Visit, route: Route, entered: Entered) -> None:
    """Raises Problem for a form that no page of this session has, and for what no role of its operator allows."""
    if route.method == "POST" and not tokens.same(visit.form.get(CSRF, ""), tokens.for_forms(visit.token)):
        raise Problem(403)
    if route.need.act is not None and not may(visit.roles, route.need.act):
        visit.console.entrance.gathered.note(Denied(by=entered.operator, act=route.need.act, count=1))
        raise Problem(403)
