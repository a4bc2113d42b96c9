"""Recall cases to look at: all of them, one with its steps and deadlines, its documents, and the blank forms."""

from starlette.responses import Response

from expectations.base.digests import bytes_match
from expectations.base.errors import Usage
from flows.cases import advancing, corrections, documents, forms, places
from flows.console import recalls
from flows.console.web.problems import Problem
from flows.console.web.sign import refused
from flows.console.web.visit import Visit
from flows.ledger.case_records import CaseRecord
from flows.ledger.facts import NAME, Page
from flows.ledger.roles import Act, may

LARGEST = 8 * 1024 * 1024  # bytes of a file that is handed in


def every(visit: Visit) -> Response:
    """All cases."""
    visit.look(Page.RECALLS)
    console = visit.console
    shown = recalls.recalls(console.home, console.ledger, visit.signed_in.operator)
    made = console.ledger.clock.machine()
    return visit.page("recalls.html", made=made, may_act=may(visit.roles, Act.RECALL), **shown)


def one(visit: Visit) -> Response:
    """A case."""
    id, console = case_of(visit).id, visit.console
    visit.look(Page.CASE, case=id)
    shown = recalls.case(console.home, console.ledger, id, visit.signed_in.operator)
    return visit.page("recall.html", made=console.ledger.clock.machine(), may_act=may(visit.roles, Act.RECALL), **shown)


def document(visit: Visit) -> Response:
    """A document that was issued, as it lies there: none of those that are given out here holds a value of a row."""
    case, name = case_of(visit), visit.path("document")
    digest = None if name == documents.AFFECTED else case.documents.get(name)
    if digest is None:
        raise Problem(404)
    visit.look(Page.DOCUMENT, case=case.id)
    try:
        data = (places.folder(visit.console.home, case.id) / name).read_bytes()
    except OSError:
        data = b""
    if not bytes_match(data, digest):
        what = "the document is missing or was changed, and is not given out"
        return refused(visit, Usage("DOCUMENT_CHANGED", what, remedy="Restore recalls/ from a backup."), at(case.id))
    return _file(f"{case.id}-{name}", data)


def issue(visit: Visit) -> Response:
    """Issues the notices that have become due."""
    id, console = case_of(visit).id, visit.console
    advancing.issue(console.home, console.ledger.clock, id)
    return visit.to(at(id))


def owed(visit: Visit) -> Response:
    """Who is owed a notice of corrections. Asked for by a form, since it opens the accounting of every batch."""
    visit.look(Page.RECALLS)
    console = visit.console
    found = corrections.due(console.home, console.ledger.clock)
    return visit.page("corrections.html", made=console.ledger.clock.machine(), owed=found, sent=False)


def send(visit: Visit) -> Response:
    """Makes the notices that are owed by now, and puts them into the outbox. Nobody signs that; the audit log names who
    sent them. Whoever sends them again sends nothing."""
    console = visit.console
    try:
        found = corrections.notify(console.home, console.ledger.clock, visit.signed_in.operator)
    except Usage as error:
        return refused(visit, error, "/recalls")
    return visit.page("corrections.html", made=console.ledger.clock.machine(), owed=found, sent=True)


def blank(visit: Visit) -> Response:
    """A form that the recipient fills in: its header alone."""
    form = documents.FORMS.get(visit.path("form"))
    if form is None:
        raise Problem(404)
    return _file(visit.path("form"), forms.blank(form))


def case_of(visit: Visit) -> CaseRecord:
    """The case that the URL names; raises Problem if there is none."""
    name = visit.path("case")
    try:
        return visit.console.ledger.case(name if NAME.fullmatch(name) else "")
    except Usage:
        raise Problem(404) from None


def at(case: str) -> str:
    """The page of a case."""
    return f"/recalls/{case}"


def _file(name: str, data: bytes) -> Response:
    kind = "text/csv" if name.endswith(".csv") else "text/plain"
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
