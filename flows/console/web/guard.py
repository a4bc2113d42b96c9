"""Every request passes here: where a form comes from, whose it is, what it needs; then the route's own answer."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import assert_never
from urllib.parse import urlencode

from anyio import CapacityLimiter, fail_after, to_thread
from starlette.requests import Request
from starlette.responses import Response

from expectations.base.errors import Transient, Usage
from expectations.base.places import MISSING
from flows.console.web import forms, problems
from flows.console.web.console import Console
from flows.console.web.forms import Sent
from flows.console.web.needs import Proof, Route
from flows.console.web.problems import Problem
from flows.console.web.proof import first
from flows.console.web.visit import CSRF, Visit
from flows.console.web.watch import Sight
from flows.ledger.database.engine import FULL
from flows.ledger.entrance import Entered, tokens
from flows.ledger.events.operators import Denied
from flows.ledger.roles import Act, may

SIGN_IN = "/sign-in"
# Forms are answered by threads of their own, a few: those that wait for the ledger keep no page waiting.
_FORMS = CapacityLimiter(8)
# Files are read into memory: a few at once, and each within a while.
_FILES, _SECONDS = CapacityLimiter(4), 60
_HALTS = CapacityLimiter(4)  # a halt waits behind no other form


def guarded(console: Console, route: Route) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a route."""

    async def endpoint(request: Request) -> Response:
        try:
            sent = await _sent(console, route, request) if route.method == "POST" else Sent()
            answered = partial(_answer, console, route, request, sent)
            return await to_thread.run_sync(answered, limiter=_threads(route))
        except Problem as problem:
            if problem.sight:
                console.watch.note(problem.sight, _address(request), problem.operator)
            return problems.page(problem.status, problem.headers)
        except TimeoutError:
            return problems.page(408)
        except Usage as error:
            return problems.page(409) if error.code == MISSING else problems.fault(error)
        except Transient as error:
            console.watch.note(Sight.LEDGER)
            return problems.fault(error) if error.code == FULL else problems.page(503, {"Retry-After": "60"})
        except Exception as error:
            return problems.fault(error)

    return endpoint


def _threads(route: Route) -> CapacityLimiter | None:
    if route.method == "GET":
        return None
    return _HALTS if route.need.act is Act.HALT else _FORMS


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _sent(console: Console, route: Route, request: Request) -> Sent:
    """What a form sends. A file is read from those only who may send it: what others send is as small as any form."""
    try:
        if not route.file:
            return await forms.read(request)
        may_send = await to_thread.run_sync(_may, console, route, request, limiter=_FORMS)
        async with _FILES:
            with fail_after(_SECONDS):
                return await forms.read(request, True, route.file if may_send else 0)
    except Problem as problem:
        problem.sight = Sight.UNREADABLE
        raise


def _may(console: Console, route: Route, request: Request) -> bool:
    visit = _visit(console, request, Sent())
    if not console.place.is_ours(request.headers):
        return False
    if visit.entered is None or not route.need.signed_in:
        return not route.need.signed_in
    return _proved(visit, route, visit.entered) and (route.need.act is None or may(visit.roles, route.need.act))


def _visit(console: Console, request: Request, sent: Sent) -> Visit:
    token = request.cookies.get(console.place.cookie, "")
    entered = console.entrance.entered(token)
    roles = console.roles(entered.operator) if entered else ()
    return Visit(console, request, sent.fields, sent.file, token, entered, roles)


def _answer(console: Console, route: Route, request: Request, sent: Sent) -> Response:
    if route.method == "POST" and not console.place.is_ours(request.headers):
        raise Problem(403, sight=Sight.ELSEWHERE)
    visit = _visit(console, request, sent)
    entered = visit.entered
    if route.need.signed_in:
        if entered is None:
            return _first(visit, route)
        _not_too_often(console, route, entered)
        if not _proved(visit, route, entered):
            return visit.to(first(_page_of(route, request.url.path)))
        _allowed(visit, route, entered)
    return route.answer(visit)


def _proved(visit: Visit, route: Route, entered: Entered) -> bool:
    """Whether what the route needs was shown in this session."""
    match route.need.proof:
        case Proof.PASSWORD:
            return True
        case Proof.KEY:
            return entered.proved_at is not None
        case Proof.FRESH_KEY:
            return visit.console.entrance.is_fresh(entered)
        case never:
            assert_never(never)


def _page_of(route: Route, path: str) -> str:
    """The page to be brought back to. A form is not sent again: of one, the page that it stands in."""
    if route.method == "GET":
        return path
    return f"/{path.split('/')[1]}" if route.need.proof is Proof.FRESH_KEY else "/"


def _first(visit: Visit, route: Route) -> Response:
    """Sign in, and be brought back to a page; a form that came too late is not sent again."""
    back = visit.request.url.path if route.method == "GET" else "/"
    where = SIGN_IN if back == "/" else f"{SIGN_IN}?{urlencode({'next': back})}"
    return visit.ended(where) if visit.token else visit.to(where)


def _not_too_often(console: Console, route: Route, entered: Entered) -> None:
    """Raises Problem for an operator who asks for more pages than people read. To stop releases is never too often."""
    if route.need.act is Act.HALT:
        return
    if wait := console.readers.take(entered.operator):
        raise Problem(429, {"Retry-After": str(wait)}, Sight.TOO_OFTEN, entered.operator)


def _allowed(visit: Visit, route: Route, entered: Entered) -> None:
    """Raises Problem for a form that no page of this session has, and for what no role of its operator allows."""
    if route.method == "POST" and not tokens.same(visit.form.get(CSRF, ""), tokens.for_forms(visit.token)):
        raise Problem(403, sight=Sight.FORM, operator=entered.operator)
    if route.need.act is not None and not may(visit.roles, route.need.act):
        visit.console.entrance.gathered.note(Denied(by=entered.operator, act=route.need.act, count=1))
        raise Problem(403, sight=Sight.DENIED, operator=entered.operator)
