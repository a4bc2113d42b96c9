"""Coming in by an identity at the configured provider: a page of ours says so, the browser goes there, and comes back
once.

The session's cookie is sent by no other site, not even on the way back from the provider. So what was begun is known by
a cookie of its own, and whoever is in is brought on by a page of ours.
"""

from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from flows.console.oidc import Begun, NotProven, Provider, Unreachable
from flows.console.oidc.begun import SECONDS
from flows.console.web import back, proof
from flows.console.web.console import COME_BACK
from flows.console.web.guard import SIGN_IN
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.ledger.entrance import From
from flows.ledger.facts import Failure, Way

BEGIN, BACK = "/sign-in/oidc", COME_BACK


def begin(visit: Visit) -> Response:
    """Keeps what was begun here, on this side: where one wanted to go, and the code of an invitation. Nothing of it
    stands in an address. The browser stays here, and has a cookie for it."""
    console, invitation = visit.console, visit.form.get("token", "").strip()
    if console.provider is None:
        raise Problem(404)
    to = back.back_to(visit.form.get("next", "/"))
    if visit.entered and not invitation:
        return visit.to(to)
    visit.try_often(Way.PROVIDER)
    if invitation and console.entrance.invited(invitation) is None:
        console.entrance.failed(None, Way.INVITATION, Failure.WRONG, visit.at)
        raise Problem(410)
    begun = Begun(to, invitation, visit.token)
    console.begun.add(begun)
    return _keep(visit, visit.to(BEGIN), begun.browser)


def leaving(visit: Visit) -> Response:
    """Says where the browser goes now: by a link, since forms lead to pages of ours only, as the policy has it."""
    provider, browser = visit.console.provider, visit.request.cookies.get(_cookie(visit), "")
    begun = visit.console.begun.find(browser) if browser else None
    if provider is None or begun is None:
        return _door("", "/")
    try:
        place = provider.address(begun)
    except Unreachable:
        return _keep(visit, _door("provider", begun.back), "")
    host, stay = urlsplit(place).netloc, "/" if visit.entered else SIGN_IN
    return visit.page("leaving.html", place=place, host=host, label=provider.said.label, stay=stay)


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
