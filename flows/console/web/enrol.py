"""Enrolling an instrument: its file or its text is checked as by command, and proposed. Until then nothing is kept."""

import base64

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from expectations.instruments import parse_instrument
from flows.console import enrolling
from flows.console.web import sign
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.ledger.proposed import Proposed


def page(visit: Visit) -> Response:
    """The form that takes it."""
    return _form(visit)


def check(visit: Visit) -> Response:
    """What is wrong with it, what is doubtful, and what it would change."""
    text = visit.form.get("text", "")
    if bool(visit.file) is bool(text.strip()):
        return _form(visit, "Choose a file, or paste its text: one of the two.")
    # browsers send lines of a text as CR LF; files have LF
    body = visit.file or text.replace("\r\n", "\n").encode()
    if len(body) > enrolling.LARGEST:
        raise Problem(413)
    one = enrolling.checked(visit.console.ledger, body)
    status, made = 422 if one["problems"] else 200, visit.console.ledger.clock.machine()
    # a page gives it back as it came: a text would be changed on its way through a form
    return visit.page("enrol-checked.html", status, made=made, one=one, body=base64.b64encode(body).decode())


def propose(visit: Visit) -> Response:
    """Proposes it: the proposal's page, where two sign it."""
    ledger, operator = visit.console.ledger, visit.signed_in.operator
    try:
        body = base64.b64decode(visit.form.get("body", ""), validate=True)
        id = parse_instrument(body, enrolling.WHERE).id
        return visit.to(f"/proposals/{ledger.propose(Proposed.INSTRUMENT, id, body, operator)}")
    except (Usage, BadInput) as error:
        return sign.refused(visit, error, "/enrol")
    except ValueError:
        raise Problem(400) from None


def _form(visit: Visit, wrong: str = "") -> Response:
    made = visit.console.ledger.clock.machine()
    return visit.page("enrol.html", 422 if wrong else 200, made=made, wrong=wrong, largest=enrolling.LARGEST)
