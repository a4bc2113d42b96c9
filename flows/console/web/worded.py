"""A page that is signed with a passkey, and that may have words about the reason under it: they are kept first, shown
with what is signed, and bound to it by their digest."""

from collections.abc import Callable
from typing import TypeAlias

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from flows.console.statements import Statement
from flows.console.web import sign
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.evidence import notes
from flows.ledger.facts import DIGEST

Made: TypeAlias = Callable[[str | None], Statement]  # with what was written about the reason, by its digest


def show(visit: Visit, made: Made, back: str) -> Response:
    """What one would sign, and a place to write."""
    return sign.show(visit, lambda: made(None), back, worded=True)


def take(
    visit: Visit, made: Made, hand_in: Callable[[Statement, str, str], None], back: str, batch: str | None
) -> Response:
    """Shows what one would sign with the words under it, if there are any; else takes the signature. `batch`: the one
    with whose evidence they are kept."""
    try:
        if visit.words:
            made(None)  # nothing is kept of what could not be signed
            note = visit.note(batch)
            return sign.show(visit, lambda: made(note), back, worded=True)
        note = _noted(visit, batch)
    except (Usage, BadInput) as error:
        return sign.refused(visit, error, back)
    return sign.take(visit, lambda: made(note), hand_in, back)


def _noted(visit: Visit, batch: str | None) -> str | None:
    """The digest of the words that stood under what was signed; raises Usage if they are not kept."""
    note = visit.form.get("note", "")
    if not note:
        return None
    if not DIGEST.match(note):
        raise Problem(400)
    notes.require(visit.console.home, note, batch)
    return note
