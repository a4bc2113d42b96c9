"""Enrolling an instrument: its file or its text is taken, and checked as by command. Nothing of it is kept."""

from starlette.responses import Response

from flows.console import enrolling
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit


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
    given = enrolling.checked(visit.console.ledger, body)
    status = 422 if given["problems"] else 200
    return visit.page("enrol-checked.html", status, made=visit.console.ledger.clock.machine(), **given)


def _form(visit: Visit, wrong: str = "") -> Response:
    made = visit.console.ledger.clock.machine()
    return visit.page("enrol.html", 422 if wrong else 200, made=made, wrong=wrong, largest=enrolling.LARGEST)
