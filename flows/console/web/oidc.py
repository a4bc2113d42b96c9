"""Coming in by an identity at the configured provider: the browser goes there, and comes back once.

The session's cookie is sent by no other site, not even on the way back from the provider. So what was begun is known by
a cookie of its own, and whoever is in is brought on by a page of ours.
"""

from urllib.parse import urlencode

from starlette.responses import Response

from flows.console.oidc import Begun, NotProven, Provider, Unreachable
from flows.console.oidc.begun import SECONDS
from flows.console.web import back, proof
from flows.console.web.console import COME_BACK
from flows.console.web.guard import SIGN_IN
from flows.console.web.visit import Visit
from flows.ledger.entrance import From
from flows.ledger.facts import Failure, Way

BEGIN, BACK = "/sign-in/oidc", COME_BACK


def begin(visit: Visit) -> Response:
    """Sends the browser to the provider. Only a page of ours leads here: no other site signs anybody in."""
    asked, provider = visit.request.query_params, visit.console.provider
    to, invitation = back.back_to(asked.get("next", "/")), asked.get("invitation", "")
    if provider is None or visit.request.headers.get("sec-fetch-site") != "same-origin":
        return _door("", to)
    if visit.entered and not invitation:
        return visit.to(to)
    visit.try_often(Way.PROVIDER)
    begun = Begun(to, invitation, visit.token)
    try:
        answer = visit.to(provider.address(begun))
    except Unreachable:
        return _door("provider", to)
    visit.console.begun.add(begun)
    return _keep(visit, answer, begun.browser)


def come_back(visit: Visit) -> Response:
    """Takes what the browser brings back: a session, or the door again, with the same words whatever was wrong."""
    said, console = dict(visit.request.query_params), visit.console
    begun = console.begun.take(said.get("state", ""), visit.request.cookies.get(_cookie(visit), ""))
    to = begun.back if begun else "/"
    try:
        answer = _answered(visit, console.provider, said, begun)
    except NotProven:
        console.entrance.failed(None, Way.PROVIDER, Failure.WRONG, visit.at)
        answer = None
    except Unreachable:
        return _keep(visit, _door("provider", to), "")
    return _keep(visit, answer or _door("identity", to), "")


def _answered(visit: Visit, provider: Provider | None, said: dict[str, str], begun: Begun | None) -> Response | None:
    """A page that leads on, for whom the provider names; None if that is nobody's here."""
    if provider is None or begun is None or len(said) != len(visit.request.query_params.multi_items()):
        raise NotProven
    clock, entrance = visit.console.ledger.clock, visit.console.entrance
    named = provider.named(said, begun, clock.machine(), clock.skew)
    who, at = (provider.issuer, named.subject), From(begun.before, visit.at.source)
    if begun.invitation:
        token = entrance.bind(begun.invitation, *who, at, both=named.both)
    else:
        token = entrance.by_identity(*who, at, both=named.both)
    if token is None:
        return None
    to = begun.back if named.both else proof.first(begun.back)
    return visit.keep(visit.page("signed-in.html", back=to, both=named.both), token)


def _door(wrong: str, to: str) -> Response:
    said = {**({"wrong": wrong} if wrong else {}), **({"next": to} if to != "/" else {})}
    return Visit.to(f"{SIGN_IN}?{urlencode(said)}" if said else SIGN_IN)


def _cookie(visit: Visit) -> str:
    return f"{visit.console.place.cookie}-oidc"


def _keep(visit: Visit, answer: Response, token: str) -> Response:
    """Lets the browser keep what it began; an empty one: no more. It comes back from another site: lax, not strict."""
    if token:
        seconds = int(SECONDS)
        answer.set_cookie(_cookie(visit), token, seconds, path="/", secure=True, httponly=True, samesite="lax")
    else:
        answer.delete_cookie(_cookie(visit), path="/", secure=True, httponly=True, samesite="lax")
    return answer
