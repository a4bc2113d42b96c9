"""Instruments to look at: the list, and each version of each."""

from starlette.responses import Response

from expectations.base.errors import Usage
from flows.console import instruments
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.ledger.facts import NAME, Page
from flows.ledger.roles import Act, may


def listing(visit: Visit) -> Response:
    """All of them, or those that are asked for; and what they leave possible."""
    visit.look(Page.INSTRUMENTS)
    try:
        wanted = instruments.asked(visit.request.query_params)
    except Usage:
        raise Problem(404) from None
    given = instruments.listing(visit.console.home, visit.console.ledger, **wanted)
    return visit.page("instruments.html", **given, **_mine(visit))


def instrument(visit: Visit) -> Response:
    """One of them, in the version that the URL names, and what differs from another."""
    asked, ledger = visit.request.query_params, visit.console.ledger
    visit.look(Page.INSTRUMENT)
    try:
        given = instruments.instrument(ledger, named(visit), asked.get("version") or None, asked.get("against") or None)
    except Usage:
        raise Problem(404) from None
    return visit.page("instrument.html", made=ledger.clock.machine(), **given, **_mine(visit))


def named(visit: Visit) -> str:
    """The id that the URL names; raises Problem for what no instrument is called."""
    id = visit.path("id")
    if not NAME.fullmatch(id):
        raise Problem(404)
    return id


def _mine(visit: Visit) -> dict[str, bool]:
    """What whoever looks may do here."""
    roles = visit.roles
    return {"may_enrol": may(roles, Act.ENROL_INSTRUMENT), "may_confirm": may(roles, Act.COMPLIANCE)}
