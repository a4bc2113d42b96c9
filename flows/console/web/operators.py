"""Operators: who they are, what they may, with which keys they sign; and the forms that propose a change of them."""

from collections.abc import Callable, Mapping

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from flows.console import proposals
from flows.console.web import proposals as desk
from flows.console.web.visit import Visit
from flows.ledger.facts import Page
from flows.ledger.proposed import ACT, Asked, Proposed
from flows.ledger.roles import Act, Role, may

Shown = Callable[[Visit], Response]
# The changes of operators that a form proposes, by the last part of its URL.
CHANGES: Mapping[str, Proposed] = {
    kind.replace("_operator", "").replace("_", "-"): kind for kind in Proposed if ACT[kind] is Act.OPERATORS
}


def listing(visit: Visit) -> Response:
    """All operators, and what is proposed about them."""
    visit.look(Page.OPERATORS)
    ledger, known = visit.console.ledger, visit.console.ledger.operators()
    waiting = [one for one in ledger.proposals() if ACT[one.kind] is Act.OPERATORS]
    return visit.page(
        "operators.html",
        made=ledger.clock.machine(),
        operators=[one for one in known if one.revoked_at is None],
        revoked=[one for one in known if one.revoked_at is not None],
        kind_of=proposals.kind_of,
        may=proposals.MAY,
        proposals=[
            {
                "record": one,
                "title": proposals.title(one),
                "cannot": proposals.cannot(one, visit.signed_in.operator, visit.roles),
            }
            for one in waiting
        ],
        can_propose=may(visit.roles, Act.OPERATORS),
    )


def form(kind: Proposed) -> Shown:
    """The form that proposes such a change."""
    return lambda visit: _form(visit, kind)


def propose(kind: Proposed) -> Shown:
    """Proposes it, and leads to its page; or the form again, with what is wrong."""

    def proposed(visit: Visit) -> Response:
        said, name = visit.form, visit.form.get("name", "").strip()
        roles = [role for role in Role if said.get(f"role-{role}")]
        try:
            return desk.propose(visit, kind, name, Asked.about(" ".join(said.get("key", "").split()) or None, roles))
        except (BadInput, Usage) as error:
            return _form(visit, kind, f"{error.message[:1].upper()}{error.message[1:]}. {error.remedy}".strip())

    return proposed


def _form(visit: Visit, kind: Proposed, wrong: str = "") -> Response:
    ledger, said = visit.console.ledger, visit.form
    name = said.get("name", visit.request.query_params.get("name", "")).strip()
    known = [one for one in ledger.operators() if one.revoked_at is None]
    about = next((one for one in known if one.name == name and kind is not Proposed.ENROL_OPERATOR), None)
    return visit.page(
        "propose.html",
        422 if wrong else 200,
        made=ledger.clock.machine(),
        kind=kind,
        title=proposals.TITLES[kind].format(name or "somebody"),
        name=name,
        about=about,
        known=() if kind is Proposed.ENROL_OPERATOR else [one.name for one in known],
        key=said.get("key", ""),
        chosen=[role for role in Role if said.get(f"role-{role}")] if said else (about.roles if about else ()),
        may=proposals.MAY,
        kind_of=proposals.kind_of,
        wrong=wrong,
    )
