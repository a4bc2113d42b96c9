"""One row: how it was judged; and its values, once, to who may see them and says why. What an answer shows stands at no
URL: a page that is loaded again asks again."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from expectations.base.places import MISSING
from flows.console import row as rows
from flows.console.statements import from_text, to_text
from flows.console.web.problems import Problem
from flows.console.web.sign import refused
from flows.console.web.views import one_batch, twice
from flows.console.web.visit import Visit
from flows.ledger.core import BatchRecord
from flows.ledger.facts import Page, View
from flows.ledger.looks import LOOK_REASONS, REFERENCE, LookReason, Why
from flows.ledger.roles import Act, may
from flows.replay.values import Look, values

_DIGITS = 15  # at most; a database holds a few more
_VIEWS = 200  # on a page


def find(visit: Visit) -> Response:
    """Goes to the row whose number is asked for; or asks for one."""
    record = one_batch(visit)
    said = visit.request.query_params.get("number", "").strip()
    number = _number(said)
    if number is not None and number < record.rows:
        return visit.to(_place(record, number))
    visit.look(Page.BATCH, record.name)
    return visit.page("go.html", made=visit.console.ledger.clock.machine(), record=record, wrong=bool(said))


def row(visit: Visit) -> Response:
    """The page of a row."""
    return _page(visit)


def show(what: View) -> Callable[[Visit], Response]:
    """Shows values of a row, after the look is recorded."""

    def shown(visit: Visit) -> Response:
        record, number = _asked(visit)
        console, who, form = visit.console, visit.signed_in.operator, visit.form
        try:
            why = Why.of(LookReason(form.get("reason", "")), form.get("reference", "").strip())
        except ValueError:
            raise Problem(400) from None
        except BadInput as error:
            return _page(visit, 422, wrong=f"{error.message[:1].upper()}{error.message[1:]}.")
        if not console.looks.take(_nonce(form.get("nonce", ""))):
            return visit.to(f"{_place(record, number)}?again=1")
        try:
            found = values(console.home, console.ledger, record.name, number, Look(who, what, why))
        except (Usage, BadInput) as error:
            return refused(visit, error, _place(record, number))
        return visit.page(
            "values.html",
            made=console.ledger.clock.machine(),
            record=record,
            number=number,
            values=found,
            asked_register=what is View.REGISTER,
            why=why,
            means=LOOK_REASONS[why.reason],
            back=_place(record, number),
        )

    return shown


def views(visit: Visit) -> Response:
    """Who looked at values, when, and why."""
    said = visit.request.query_params.get("before")
    before = _number(said) if said is not None else None
    if said is not None and before is None:
        raise Problem(404)
    visit.look(Page.VIEWS)
    ledger = visit.console.ledger
    found = ledger.views(_VIEWS + 1, before)
    older = found[_VIEWS - 1].seq if len(found) > _VIEWS else None
    made = ledger.clock.machine()
    return visit.page("views.html", made=made, found=found[:_VIEWS], older=older, means=LOOK_REASONS)


def _page(visit: Visit, status: int = 200, wrong: str = "") -> Response:
    record, number = _asked(visit)
    console = visit.console

    def given() -> dict[str, Any]:
        return rows.row(console.home, console.ledger, one_batch(visit), number)

    try:
        found = twice(given)
    except Usage as error:
        if error.code == MISSING:
            raise
        raise Problem(404) from None
    visit.look(Page.ROW, record.name)
    return visit.page(
        "row.html",
        status,
        made=console.ledger.clock.machine(),
        here=_place(record, number),
        may_request=may(visit.roles, Act.VIEW_REQUEST),
        may_register=may(visit.roles, Act.VIEW_REGISTER),
        reasons=LOOK_REASONS,
        pattern=REFERENCE,
        nonce=to_text(console.looks.give()),
        again="again" in visit.request.query_params,
        wrong=wrong,
        **found,
    )


def _asked(visit: Visit) -> tuple[BatchRecord, int]:
    """The batch and the row that the URL names; raises Problem for what can be none."""
    record, number = one_batch(visit), _number(visit.path("number"))
    if number is None or str(number) != visit.path("number"):  # each row has one address
        raise Problem(404)
    return record, number


def _number(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _DIGITS else None


def _nonce(said: str) -> bytes:
    try:
        return from_text(said)
    except ValueError:
        return b""


def _place(record: BatchRecord, number: int) -> str:
    return f"/batches/{record.name}/rows/{number}"
