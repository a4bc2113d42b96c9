"""One's own page: roles, and where one is signed in."""

from starlette.responses import Response

from flows.console.web.visit import Visit


def me(visit: Visit) -> Response:
    """My roles and sessions."""
    entered, console = visit.signed_in, visit.console
    return visit.page(
        "me.html",
        made=console.ledger.clock.machine(),
        entered=entered,
        roles=visit.roles,
        sessions=console.entrance.of(entered.operator),
        limits=console.entrance.limits,
    )


def end_all(visit: Visit) -> Response:
    """Ends all of my sessions, this one too."""
    visit.console.entrance.end_all(visit.signed_in.operator)
    return visit.keep(visit.to("/sign-in"), "")
