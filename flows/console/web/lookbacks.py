"""What a lookback found, and a recall of it: first what would be frozen, then it is frozen at once, as of a batch."""

from datetime import datetime

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from flows.cases import documents, lookbacks, opening
from flows.cases.lookbacks import Looked
from flows.cases.opening import Chosen
from flows.console.web.problems import Problem
from flows.console.web.recalling import TIME, discovered, reason_of
from flows.console.web.recalls import at
from flows.console.web.sign import refused
from flows.console.web.visit import Visit
from flows.ledger.facts import Page
from flows.ledger.lifecycles.cases import CaseReason
from flows.ledger.roles import Act, may


def one(visit: Visit) -> Response:
    """Its counts, and the form that recalls what it found."""
    visit.look(Page.RECALLS)
    try:
        return _page(visit, _looked(visit))
    except (BadInput, Usage) as error:
        return refused(visit, error, "/recalls")


def recall(visit: Visit) -> Response:
    """Shows what would be frozen; once that was looked at (`sure`), opens the cases."""
    reason, console = reason_of(visit), visit.console
    try:
        looked = _looked(visit)
        chosen, found_at = Chosen(listed=lookbacks.listed(console.home, looked)), discovered(visit)
        if visit.form.get("sure") != "yes":
            return _foreseen(visit, looked, chosen, (reason, found_at))
        operator = visit.signed_in.operator
        opened = opening.open_cases(console.home, console.ledger.clock, chosen, reason, operator, found_at)
    except (BadInput, Usage) as error:
        return refused(visit, error, "/recalls")
    console.fresh.forget()
    return visit.to(at(opened[0].id) if len(opened) == 1 else "/recalls")


def _page(visit: Visit, looked: Looked) -> Response:
    console = visit.console
    left = lookbacks.left(console.home, console.ledger, looked)
    now = console.ledger.clock.machine()
    return visit.page(
        "lookback.html",
        made=now,
        now=now.strftime(TIME),
        may_act=may(visit.roles, Act.RECALL),
        looked=looked,
        left=left,
        reasons=documents.HOW,
        chosen=CaseReason.LOOKBACK,
    )


def _foreseen(visit: Visit, looked: Looked, chosen: Chosen, why: tuple[CaseReason, datetime]) -> Response:
    console, (reason, found_at) = visit.console, why
    found = opening.foresee(console.home, console.ledger.clock, chosen, found_at)
    return visit.page(
        "lookback-sure.html",
        made=console.ledger.clock.machine(),
        looked=looked,
        left=lookbacks.left(console.home, console.ledger, looked),
        found=found,
        reason=reason,
        why=documents.HOW[reason],
        found_at=found_at,
        discovered=found_at.strftime(TIME),
        contact=console.home.config.contact,
    )


def _looked(visit: Visit) -> Looked:
    """The lookback that the URL names; raises as `lookbacks.one`, Problem for what none is called."""
    name = visit.path("lookback")
    if not lookbacks.NAME.fullmatch(name):
        raise Problem(404)
    return lookbacks.one(visit.console.home, name)
