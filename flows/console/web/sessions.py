"""Everybody's sessions: an approver ends those of one operator, or all."""

from starlette.responses import Response

from expectations.base.errors import Usage
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit


def page(visit: Visit) -> Response:
    """Who is signed in, and since when."""
    console = visit.console
    return visit.page("sessions.html", made=console.ledger.clock.machine(), sessions=console.entrance.of())


def end(visit: Visit) -> Response:
    """Ends the sessions of the operator that the form names, or everybody's, this one too."""
    entrance, who, name = visit.console.entrance, visit.signed_in.operator, visit.form.get("operator")
    if (name is None) is not (visit.form.get("all") == "yes"):
        raise Problem(400)
    try:
        entrance.end_sessions(who, name)
    except Usage:  # revoked meanwhile, or no name of ours
        raise Problem(404) from None
    return visit.ended() if name in (None, who) else visit.to("/sessions")
