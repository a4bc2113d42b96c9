"""One request, once it is known whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from flows.console import pages, statements
from flows.console.links import ServedLinks
from flows.console.web import source
from flows.console.web.console import Console
from flows.console.web.problems import Problem
from flows.console.web.watch import Sight
from flows.evidence import notes
from flows.ledger.entrance import Entered, From, tokens
from flows.ledger.events.console import Pages
from flows.ledger.facts import Failure, Page, Way
from flows.ledger.passkeys import Passkey
from flows.ledger.roles import Role

CSRF = "form"  # the hidden field of each form


@dataclass(frozen=True)
class Visitor:
    """Who is signed in, as templates see it. `idle`: after so many seconds without use the session is over."""

    operator: str
    form: str = field(repr=False)
    seconds: int  # unused for so long, the session ends


@dataclass(frozen=True)
class Visit:
    """`form`: the fields sent; `file`: the file that came with them; `token`: what the browser's cookie holds;
    `entered`: the session that it is of."""

    console: Console
    request: Request
    form: Mapping[str, str] = field(repr=False)
    file: bytes = field(repr=False)
    token: str = field(repr=False)
    entered: Entered | None
    roles: tuple[Role, ...]

    @property
    def signed_in(self) -> Entered:
        """The session, on routes that need one."""
        assert self.entered is not None, "the route says who may come"
        return self.entered

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return source.address(self.request)

    @property
    def words(self) -> str:
        """What was written in a form about a reason."""
        return self.form.get("words", "").strip()

    def note(self, batch: str | None = None) -> str | None:
        """Keeps these words, sealed; gives their digest, None if there are none. Raises as `notes.store`."""
        return notes.store(self.console.home, self.words, batch) if self.words else None

    def path(self, name: str) -> str:
        """A part of the URL's path."""
        return str(self.request.path_params[name])

    def page(self, template: str, status: int = 200, **given: Any) -> Response:
        """A page for this visitor."""
        visitor = self._visitor(self.entered) if self.entered else None
        return HTMLResponse(pages.page(template, links=ServedLinks(), visitor=visitor, **given), status)

    def _visitor(self, entered: Entered) -> Visitor:
        idle = self.console.entrance.limits.idle
        return Visitor(entered.operator, tokens.for_forms(self.token), int(idle.total_seconds()))

    @staticmethod
    def to(path: str) -> Response:
        """The answer to a form: go there."""
        return RedirectResponse(path, 303)

    def look(self, page: Page, batch: str | None = None, case: str | None = None) -> None:
        """Notes for the audit log that this page is looked at."""
        seen = Pages(by=self.signed_in.operator, page=page, batch=batch, case=case, count=1)
        self.console.entrance.gathered.note(seen)

    @property
    def at(self) -> From:
        """Where this visitor comes from."""
        return From(self.token, source.digest(self.address, self.console.home.hash_key))

    def passkeys(self) -> Mapping[str, Passkey]:
        """Those that whoever is signed in has for this console, by their lines."""
        console = self.console
        return statements.keys_at(console.ledger, console.place.origin, self.signed_in.operator)

    def try_often(self, way: Way, account: str = "") -> None:
        """Counts a try to come in; raises Problem if there were too many from this address, or for this account. From
        where its operator has come in lately, nobody else's tries for it count."""
        console, at = self.console, self.at
        wait = console.addresses.take(self.address)
        if not wait and account and not console.entrance.is_known(account, at.source):
            wait = console.accounts.take(account.casefold()[:64])
        if wait:
            console.entrance.failed(None, way, Failure.OFTEN, at)
            raise Problem(429, {"Retry-After": str(wait)}, Sight.TOO_OFTEN)

    def seen(self, sight: Sight, operator: str = "") -> None:
        """Counts something for the log."""
        self.console.watch.note(sight, self.address, operator)

    def ended(self, path: str = "/sign-in") -> Response:
        """The answer when this session has ended: the browser forgets it, and what it keeps of our pages."""
        return self.keep(self.to(path), "")

    def keep(self, answer: Response, token: str) -> Response:
        """Lets the browser keep this token until it is closed; an empty one: no more. Who came in, did not guess: that
        try does not count for the address, from which a whole office may come at nine."""
        place = self.console.place
        if token:
            self.console.addresses.give_back(self.address)
            answer.set_cookie(place.cookie, token, path="/", secure=True, httponly=True, samesite="strict")
        else:
            answer.delete_cookie(place.cookie, path="/", secure=True, httponly=True, samesite="strict")
            answer.headers["Clear-Site-Data"] = '"cache", "storage"'  # of cookies only ours: others may be at this host
        return answer
