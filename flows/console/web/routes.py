"""Every route of the console, and what it needs: the one table of them."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.routing import Route as Made

from expectations.base.errors import Fault
from flows.cases import Step
from flows.console import enrolling
from flows.console.web import (
    comply,
    decide,
    doors,
    enrol,
    instruments,
    lookbacks,
    mine,
    oidc,
    operators,
    passkey,
    proof,
    proposals,
    recalling,
    recalls,
    rows,
    sessions,
    snoozes,
    static,
    stepping,
    views,
)
from flows.console.web.console import Console
from flows.console.web.guard import SIGN_IN, guarded
from flows.console.web.needs import ANYBODY, FRESH, HALF_IN, SIGNED_IN, Need, Proof, Route, needs
from flows.ledger.decisions import Decision
from flows.ledger.facts import View
from flows.ledger.roles import DECIDES, Act

_VIEW, _READ, _HALT, _RESUME, _SNOOZE, _CALL = (
    needs(act) for act in (Act.VIEW, Act.VIEW_REQUEST, Act.HALT, Act.RESUME, Act.SNOOZE, Act.CALL)
)
_ENROL, _COMPLY = needs(Act.ENROL_INSTRUMENT), needs(Act.COMPLIANCE)
_RECALL = needs(Act.RECALL)
_WAITS_SIGNED = [one for one in Step if one not in (Step.FROZEN, Step.ATTESTED, Step.CLOSED)]  # with a file
_OPERATORS = needs(Act.OPERATORS)
_ON_BATCHES = [one for one in Decision if one is not Decision.RESUME]


def _at(decision: Decision) -> str:
    return f"/batches/{{batch}}/decide/{decision}"


def _step(step: Step) -> str:
    return f"/recalls/{{case}}/{step}"


ROUTES: Sequence[Route] = (
    Route("GET", SIGN_IN, doors.sign_in_page, ANYBODY),
    Route("POST", SIGN_IN, doors.sign_in, ANYBODY),
    Route("POST", "/sign-in/passkey", doors.by_passkey, ANYBODY),
    Route("GET", oidc.BEGIN, oidc.leaving, ANYBODY),
    Route("POST", oidc.BEGIN, oidc.begin, ANYBODY),
    Route("GET", oidc.BACK, oidc.come_back, ANYBODY),
    Route("GET", proof.KEY, proof.page, HALF_IN),
    Route("POST", proof.KEY, proof.show, HALF_IN),
    Route("POST", "/sign-out", doors.sign_out, HALF_IN),
    Route("GET", "/invitation", doors.invitation_page, ANYBODY),
    Route("POST", "/invitation", doors.invitation, ANYBODY),
    Route("GET", "/static/{name}", static.file, ANYBODY),
    Route("GET", "/me", mine.me, SIGNED_IN),
    Route("POST", "/me/end", mine.end, FRESH),
    Route("POST", "/me/end-all", mine.end_all, FRESH),
    Route("GET", "/me/password", mine.password_page, FRESH),
    Route("POST", "/me/password", mine.password, FRESH),
    Route("GET", "/sessions", sessions.page, needs(Act.OPERATORS)),
    Route("POST", "/sessions", sessions.end, needs(Act.OPERATORS, Proof.FRESH_KEY)),
    Route("GET", "/me/passkey", passkey.page, HALF_IN),
    Route("POST", "/me/passkey", passkey.make, HALF_IN),
    Route("POST", "/me/passkey/propose", passkey.propose, SIGNED_IN),
    Route("GET", "/passkey", passkey.new_page, ANYBODY),
    Route("POST", "/passkey", passkey.make_new, ANYBODY),
    Route("GET", "/", views.waiting, _VIEW),
    Route("POST", "/seen", snoozes.mark, _VIEW),
    Route("GET", "/snooze/{thing}", snoozes.page, _SNOOZE),
    Route("POST", "/snooze/{thing}", snoozes.set_aside, _SNOOZE),
    Route("POST", "/snooze/{thing}/end", snoozes.take_back, _SNOOZE),
    Route("GET", "/call/{thing}", snoozes.call_page, _CALL),
    Route("POST", "/call/{thing}", snoozes.call, _CALL),
    Route("GET", "/batches/{batch}", views.batch, _VIEW),
    Route("GET", "/batches/{batch}/recall", recalling.page, _RECALL),
    Route("POST", "/batches/{batch}/recall", recalling.recall, _RECALL, recalls.LARGEST),
    Route("GET", "/batches/{batch}/rows", rows.find, _VIEW),
    Route("GET", "/batches/{batch}/rows/{number}", rows.row, _VIEW),
    Route("POST", "/batches/{batch}/rows/{number}", rows.show(View.VALUES), needs(Act.VIEW_REQUEST)),
    Route("POST", "/batches/{batch}/rows/{number}/register", rows.show(View.REGISTER), needs(Act.VIEW_REGISTER)),
    Route("GET", "/views", rows.views, needs(Act.VIEWS)),
    Route("GET", "/batches/{batch}/{checkpoint}", views.checkpoint, _VIEW),
    Route("GET", "/batches/{batch}/{checkpoint}/rows.csv", views.rows, _VIEW),
    *(Route("GET", _at(one), decide.decision_page(one), needs(DECIDES[one])) for one in _ON_BATCHES),
    *(Route("POST", _at(one), decide.decide(one), needs(DECIDES[one])) for one in _ON_BATCHES),
    Route("GET", "/batches/{batch}/decide/withdraw", decide.withdrawal_page, _VIEW),
    Route("POST", "/batches/{batch}/decide/withdraw", decide.withdraw, _VIEW),
    Route("POST", "/batches/{batch}/reasons", views.reasons, _READ),
    Route("POST", "/reasons", views.other_reasons, _READ),
    Route("GET", "/halt", decide.halt_page, _HALT),
    Route("POST", "/halt", decide.halt, _HALT),
    Route("GET", "/halts/{halt}/resume", decide.resumption_page, _RESUME),
    Route("POST", "/halts/{halt}/resume", decide.resume, _RESUME),
    Route("GET", "/instruments", instruments.listing, _VIEW),
    Route("GET", "/instruments/{id}", instruments.instrument, _VIEW),
    Route("GET", "/enrol", enrol.page, _ENROL),
    Route("POST", "/enrol", enrol.check, _ENROL, enrolling.LARGEST),
    Route("POST", "/enrol/propose", enrol.propose, _ENROL, enrolling.LARGEST),
    Route("GET", "/instruments/{id}/compliance", comply.page, _COMPLY),
    Route("POST", "/instruments/{id}/compliance", comply.filed, _COMPLY, comply.LARGEST),
    Route("GET", "/instruments/{id}/compliance/{proof}", comply.statement_page, _COMPLY),
    Route("POST", "/instruments/{id}/compliance/{proof}", comply.confirm, _COMPLY),
    Route("GET", "/forms/{form}", recalls.blank, _VIEW),
    Route("GET", "/recalls", recalls.every, _VIEW),
    Route("POST", "/recalls/corrections", recalls.owed, _RECALL),
    Route("POST", "/recalls/corrections/send", recalls.send, _RECALL),
    Route("GET", "/recalls/{case}", recalls.one, _VIEW),
    Route("GET", "/recalls/{case}/documents/{document}", recalls.document, _VIEW),
    Route("POST", "/recalls/{case}/documents", recalls.issue, _RECALL),
    *(Route("GET", _step(one), stepping.step_page(one), _RECALL) for one in Step),
    *(Route("POST", _step(one), stepping.hand_in(one), _RECALL, recalls.LARGEST) for one in Step),
    *(Route("GET", f"{_step(one)}/{{digest}}", stepping.signed_page(one), _RECALL) for one in _WAITS_SIGNED),
    *(Route("POST", f"{_step(one)}/{{digest}}", stepping.sign(one), _RECALL) for one in _WAITS_SIGNED),
    Route("GET", "/lookbacks/{lookback}", lookbacks.one, _VIEW),
    Route("POST", "/lookbacks/{lookback}", lookbacks.recall, _RECALL),
    Route("GET", "/operators", operators.listing, _VIEW),
    *(
        Route("GET", f"/operators/propose/{at}", operators.form(one), _OPERATORS)
        for at, one in operators.CHANGES.items()
    ),
    *(
        Route("POST", f"/operators/propose/{at}", operators.propose(one), _OPERATORS)
        for at, one in operators.CHANGES.items()
    ),
    Route("GET", "/proposals", proposals.listing, _VIEW),
    Route("GET", "/proposals/{proposal}", proposals.page, _VIEW),
    Route("POST", "/proposals/{proposal}", proposals.take, _VIEW),
    Route("POST", "/proposals/{proposal}/withdraw", proposals.withdraw, _VIEW),
)


def add(app: FastAPI, console: Console) -> None:
    """Adds them all, guarded. Raises Fault if there is a route that is not in the table, or does not say its need."""
    for route in ROUTES:
        if not isinstance(route.need, Need):
            raise Fault("ROUTE_WITHOUT_NEED", "a route of the console does not say who may use it", where=route.path)
        app.add_route(route.path, guarded(console, route), methods=[route.method], include_in_schema=False)
    check(app)


def check(app: FastAPI) -> None:
    """Raises Fault for a route that is not in the table: nobody has said who may use it."""
    listed = {(route.method, route.path) for route in ROUTES}
    for made in app.routes:
        methods = (made.methods or set()) - {"HEAD"} if isinstance(made, Made) else {""}
        path = getattr(made, "path", "")
        if any((method, path) not in listed for method in methods):
            raise Fault("ROUTE_WITHOUT_NEED", "a route of the console does not say who may use it", where=path)
