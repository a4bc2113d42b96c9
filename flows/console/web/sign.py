"""A page that is signed with a passkey: shown, and its answer taken."""

from collections.abc import Callable

from starlette.responses import Response

from expectations.base.errors import BadInput, SluicegateError, Usage
from expectations.base.places import MISSING
from flows.console import statements
from flows.console.statements import Statement
from flows.console.web.visit import Visit
from flows.evidence import notes
from flows.ledger.decisions import MEANINGS

Made = Callable[[], Statement]


def show(visit: Visit, made: Made, back: str, worded: bool = False) -> Response:
    """What one would sign; or why there is nothing to sign. `worded`: whether words about the reason may be put under
    it (`flows.console.web.worded`)."""
    console = visit.console
    try:
        statement = made()
    except Usage as error:
        return refused(visit, error, back)
    keys = statements.keys_at(console.ledger, console.place.origin, visit.signed_in.operator)
    return visit.page(
        "sign.html",
        made=console.ledger.clock.machine(),
        statement=statement,
        asked=statements.ask(statement, keys),
        reasons=MEANINGS,
        chosen=visit.form.get("reason") or statement.reason,
        words=visit.words,
        most=notes.MOST if worded else 0,
        back=back,
    )


def take(visit: Visit, made: Made, hand_in: Callable[[Statement, str, str], None], back: str) -> Response:
    """Checks that what was seen still stands, and hands the signature to the ledger, which alone says if it is good."""
    console = visit.console
    try:
        statement = made()
        statement.check(visit.form)
        keys = statements.keys_at(console.ledger, console.place.origin, visit.signed_in.operator)
        hand_in(statement, *statements.answered(statement, keys, visit.form))
    except (Usage, BadInput) as error:
        return refused(visit, error, back)
    return visit.to(back)


def refused(visit: Visit, error: SluicegateError, back: str) -> Response:
    """What did not happen, and what to do: 409, as something else stands now than was looked at. Raises
    the error of a key that this console has not."""
    if error.code == MISSING:
        raise error
    made = visit.console.ledger.clock.machine()
    return visit.page("not-done.html", 409, made=made, what=error.message, remedy=error.remedy, back=back)
