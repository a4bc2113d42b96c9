"""The next step of a recall: its file is handed in and judged, lies sealed until it is signed, and is judged once more
with the signature. What is taken is decided in `flows.cases.advancing` alone, as for the command line."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from expectations.base.errors import BadInput, Fault, Forbidden, Usage
from flows.cases import Step, advancing, documents, places
from flows.cases.steps import PROOFS, WITHOUT_FILE, HandedIn, Proposed
from flows.console import statements
from flows.console.recalls import WORDS
from flows.console.web.problems import Problem
from flows.console.web.recalls import LARGEST, at, case_of
from flows.console.web.sign import refused, show
from flows.console.web.visit import Visit
from flows.ledger.facts import DIGEST, Page

Shown = Callable[[Visit], Response]
_CALLED = "the file"  # how errors name it: what it is called elsewhere may hold a value
_NOT_DONE = (Usage, BadInput, Forbidden)


def step_page(step: Step) -> Shown:
    """What the step takes, with the form that hands it in; of one without a file, what is signed."""
    return lambda visit: _sign_page(visit, step, HandedIn()) if step is Step.CLOSED else _form(visit, step)


def hand_in(step: Step) -> Shown:
    """Takes the file of a step that somebody is to sign, or the step itself where nobody here signs it."""

    def handed(visit: Visit) -> Response:
        id, given = case_of(visit).id, HandedIn(visit.file, _CALLED)
        if step is Step.CLOSED:
            return _take(visit, step, given)
        try:
            if step in (Step.FROZEN, Step.ATTESTED):
                _advance(visit, step, given, _nobody)
                return visit.to(at(id))
            digest = advancing.hand_in(visit.console.home, visit.console.ledger.clock, id, step, given)
        except BadInput as error:
            where = f" ({error.where})" if error.where else ""
            return _form(visit, step, f"{error.message}{where}. {error.remedy}".strip())
        except _NOT_DONE as error:
            return refused(visit, error, at(id))
        return visit.to(f"{at(id)}/{step}/{digest}")

    return handed


def signed_page(step: Step) -> Shown:
    """What is signed of the file that waits."""

    def shown(visit: Visit) -> Response:
        if _is_taken(visit, step):
            return visit.to(at(case_of(visit).id))
        try:
            return _sign_page(visit, step, _waiting(visit))
        except _NOT_DONE as error:
            return refused(visit, error, at(case_of(visit).id))

    return shown


def sign(step: Step) -> Shown:
    """Takes a step with its signature."""

    def signed(visit: Visit) -> Response:
        if _is_taken(visit, step):  # a double click, or another tab
            return visit.to(at(case_of(visit).id))
        try:
            given = _waiting(visit)
        except Usage as error:
            return refused(visit, error, at(case_of(visit).id))
        return _take(visit, step, given)

    return signed


def _take(visit: Visit, step: Step, given: HandedIn) -> Response:
    """Checks that what was seen still stands, and hands the signature to the ledger, which alone says if it is good."""
    console, id = visit.console, case_of(visit).id

    def signature(proposed: Proposed) -> str:
        statement = statements.recall_step(proposed)
        statement.check(visit.form)
        keys = statements.keys_at(console.ledger, console.place.origin, visit.signed_in.operator)
        return statements.answered(statement, keys, visit.form)[1]

    try:
        _advance(visit, step, given, signature)
    except _NOT_DONE as error:
        return refused(visit, error, at(id))
    return visit.to(at(id))


def _advance(visit: Visit, step: Step, given: HandedIn, signature: Callable[[Proposed], str]) -> None:
    console = visit.console
    advancing.advance(console.home, console.ledger.clock, case_of(visit).id, step, given, signature)


def _nobody(_: Proposed) -> str:
    raise Fault("SIGNED_BY_NOBODY", "a step that nobody here signs asked for a signature")


def _waiting(visit: Visit) -> HandedIn:
    """The file that the URL names; raises Usage if it does not wait any more."""
    return HandedIn(places.handed_in(visit.console.home, case_of(visit).id, _digest(visit)), _CALLED)


def _digest(visit: Visit) -> str:
    digest = visit.path("digest")
    if not DIGEST.fullmatch(digest):
        raise Problem(404)
    return digest


def _is_taken(visit: Visit, step: Step) -> bool:
    digest = _digest(visit)
    return any(s.proof in PROOFS[step] and s.rests_on == digest for s in case_of(visit).steps)


def _form(visit: Visit, step: Step, wrong: str = "") -> Response:
    case, words = case_of(visit), WORDS[step]
    visit.look(Page.CASE, case=case.id)
    given: dict[str, Any] = {"case": case, "step": step, "words": words, "wrong": wrong}
    form = documents.FORMS.get(words.form)
    columns = {name: (one.description, one.is_required()) for name, one in form.model_fields.items()} if form else {}
    return visit.page(
        "recall-step.html",
        422 if wrong else 200,
        made=visit.console.ledger.clock.machine(),
        columns=columns,
        takes_file=step not in WITHOUT_FILE,
        mebibytes=LARGEST >> 20,
        **given,
    )


def _sign_page(visit: Visit, step: Step, given: HandedIn) -> Response:
    console, id = visit.console, case_of(visit).id
    try:
        proposed = advancing.propose(console.home, console.ledger, id, step, given)
    except _NOT_DONE as error:
        return refused(visit, error, at(id))
    if proposed is None:
        return visit.to(at(id))
    visit.look(Page.CASE, case=id)
    return show(visit, lambda: statements.recall_step(proposed), at(id))
