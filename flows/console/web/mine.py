"""One's own page: roles, password, and where one is signed in."""

from starlette.responses import Response

from expectations.base.errors import BadInput
from flows.console import notices
from flows.console.web.visit import Visit
from flows.ledger.roles import Act, may


def me(visit: Visit) -> Response:
    """My roles and sessions."""
    entered, console = visit.signed_in, visit.console
    return visit.page(
        "me.html",
        made=console.ledger.clock.machine(),
        entered=entered,
        roles=visit.roles,
        news=notices.told(console.ledger, entered, console.entrance.limits.idle),
        sessions=console.entrance.of(entered.operator),
        limits=console.entrance.limits,
        operators=may(visit.roles, Act.OPERATORS),
    )


def end(visit: Visit) -> Response:
    """Ends one of my sessions; this one by signing out."""
    id, entered = visit.form.get("session", ""), visit.signed_in
    visit.console.entrance.end(entered.operator, id)
    return visit.ended() if id == entered.id else visit.to("/me")


def end_all(visit: Visit) -> Response:
    """Ends all of my sessions, this one too."""
    visit.console.entrance.end_all(visit.signed_in.operator)
    return visit.ended()


def password_page(visit: Visit) -> Response:
    """The form that changes my password."""
    return visit.page("password.html", made=visit.console.ledger.clock.machine(), wrong="")


def password(visit: Visit) -> Response:
    """Changes it, and ends all of my sessions; then I sign in with the new one."""
    now, new = visit.form.get("password", ""), visit.form.get("new", "")
    wrong = "" if new == visit.form.get("again", "") else "The two are not the same."
    if not wrong:
        try:
            visit.console.entrance.change_password(visit.signed_in, now, new, visit.at)
            return visit.ended("/sign-in?ready=1")
        except BadInput as error:
            wrong = f"{error.message[:1].upper()}{error.message[1:]}."
    return visit.page("password.html", 422, made=visit.console.ledger.clock.machine(), wrong=wrong)
