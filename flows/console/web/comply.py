"""That the holder complies with an order: the confirmation is uploaded, of which the digest is kept, and an operator
signs that it was filed."""

from starlette.responses import Response

from expectations.base.errors import Usage
from flows.console import instruments, statements
from flows.console.statements import Statement
from flows.console.web import sign
from flows.console.web.instruments import named
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.ledger.facts import DIGEST

LARGEST = 8 * 1024 * 1024  # bytes of a confirmation as it was filed


def page(visit: Visit) -> Response:
    """The form that takes the confirmation."""
    return _form(visit)


def filed(visit: Visit) -> Response:
    """Works out the digest of what was filed, and leads to what is signed."""
    if not visit.file:
        return _form(visit, "Choose the confirmation as it was filed.")
    proof = visit.console.ledger.proof_of(named(visit), visit.file)
    return visit.to(f"/instruments/{named(visit)}/compliance/{proof}")


def statement_page(visit: Visit) -> Response:
    """What one would sign."""
    return sign.show(visit, lambda: _statement(visit), _order(visit))


def confirm(visit: Visit) -> Response:
    """Takes the signature."""

    def hand_in(_: Statement, line: str, signature: str) -> None:
        visit.console.ledger.confirm_compliance(named(visit), _proof(visit), line, signature)

    return sign.take(visit, lambda: _statement(visit), hand_in, _order(visit))


def _form(visit: Visit, wrong: str = "") -> Response:
    ledger, id = visit.console.ledger, named(visit)
    try:
        given = instruments.order(ledger, id)
    except Usage as error:
        return sign.refused(visit, error, "/instruments")
    made = ledger.clock.machine()
    return visit.page("comply.html", 422 if wrong else 200, made=made, wrong=wrong, largest=LARGEST, order=given)


def _statement(visit: Visit) -> Statement:
    return statements.compliance(visit.console.ledger, named(visit), _proof(visit))


def _order(visit: Visit) -> str:
    return f"/instruments/{named(visit)}"


def _proof(visit: Visit) -> str:
    """The digest that the URL names."""
    proof = visit.path("proof")
    if not DIGEST.fullmatch(proof):
        raise Problem(404)
    return proof
