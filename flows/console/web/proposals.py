"""What is proposed: a list, a page for each, where one signs it with a passkey, and where it is taken back."""

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from flows.console import enrolling, proposals, statements
from flows.console.statements import Statement
from flows.console.web import sign
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.ledger.events.operators import Denied
from flows.ledger.facts import Page
from flows.ledger.proposals import ProposalRecord
from flows.ledger.proposed import ACT, Asked, Proposed, may_propose
from flows.ledger.roles import Act, may

_BACK = "/proposals"


def listing(visit: Visit) -> Response:
    """All that are open."""
    visit.look(Page.PROPOSALS)
    ledger = visit.console.ledger
    found = [
        {"record": one, "title": proposals.title(one), "cannot": _cannot(visit, one)} for one in ledger.proposals()
    ]
    return visit.page("proposals.html", made=ledger.clock.machine(), proposals=found)


def page(visit: Visit) -> Response:
    """What would be, and what is signed."""
    console, operator = visit.console, visit.signed_in.operator
    visit.look(Page.PROPOSALS)
    try:
        one = console.ledger.proposal(_number(visit))
        against = _cannot(visit, one)
        statement = None if one.obstacle else proposals.statement(console.ledger, one)
    except (Usage, BadInput) as error:
        return sign.refused(visit, error, _BACK)
    keys = statements.keys_at(console.ledger, console.place.origin, operator)
    return visit.page(
        "proposal.html",
        made=console.ledger.clock.machine(),
        record=one,
        title=proposals.title(one),
        says=proposals.says(one),
        roles=proposals.roles(one, console.ledger.operators()),
        text=one.body.decode(errors="replace") if one.kind is Proposed.INSTRUMENT else "",
        instrument=enrolling.checked(console.ledger, one.body) if one.kind is Proposed.INSTRUMENT else None,
        statement=statement,
        asked=statements.ask(statement, keys) if statement else None,
        cannot=against,
        mine=operator in (one.operator, *one.signed),
        reasons={},
        chosen=None,
        words="",
        most=0,
        back=_BACK,
    )


def take(visit: Visit) -> Response:
    """Takes a signature; with the second the change is carried out."""
    ledger, carried = visit.console.ledger, []
    try:
        one = ledger.proposal(_number(visit))
    except Usage as error:
        return sign.refused(visit, error, _BACK)
    require(visit, ACT[one.kind], may(visit.roles, ACT[one.kind]))

    def hand_in(_: Statement, line: str, signature: str) -> None:
        carried.append(ledger.sign_proposal(one.number, line, signature))

    answer = sign.take(visit, lambda: proposals.statement(ledger, one), hand_in, f"{_BACK}/{one.number}")
    done = "/operators" if ACT[one.kind] is Act.OPERATORS else "/instruments"
    return visit.to(done) if carried == [True] else answer


def withdraw(visit: Visit) -> Response:
    """Withdraws one's own proposal, or takes one's own signature back."""
    try:
        visit.console.ledger.withdraw_proposal(_number(visit), visit.signed_in.operator)
    except Usage as error:
        return sign.refused(visit, error, _BACK)
    return visit.to(_BACK)


def propose(visit: Visit, kind: Proposed, subject: str, asked: Asked) -> Response:
    """Proposes a change of an operator: its page, where one signs it."""
    operator = visit.signed_in.operator
    require(visit, ACT[kind], may_propose(visit.roles, kind, subject, operator))
    number = visit.console.ledger.propose(kind, subject, asked.body, operator)
    return visit.to(f"{_BACK}/{number}")


def require(visit: Visit, act: Act, allowed: bool) -> None:
    """Raises Problem, and notes it, for what no role of who is signed in allows."""
    if not allowed:
        visit.console.entrance.gathered.note(Denied(by=visit.signed_in.operator, act=act, count=1))
        raise Problem(403)


def _cannot(visit: Visit, one: ProposalRecord) -> str:
    return proposals.cannot(one, visit.signed_in.operator, visit.roles)


def _number(visit: Visit) -> int:
    number = visit.path("proposal")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Problem(404)
    return int(number)
