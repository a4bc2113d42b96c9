"""What is decided in a browser, one signature at a time: on held batches, and on halts."""

import threading
from collections.abc import Callable
from urllib.parse import quote

from starlette.responses import Response

from expectations.base.errors import Transient
from flows.batch.decisions import halt as stop
from flows.console import reader, statements
from flows.console.statements import Statement
from flows.console.web import sign, worded
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.evidence import notes
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import MEANINGS, Decision, Reason
from flows.ledger.events.operators import Denied
from flows.ledger.facts import NAME
from flows.ledger.roles import DECIDES, Barred

Shown = Callable[[Visit], Response]
_HALTING, _HALTING_TRIES = threading.Lock(), 3


def decision_page(which: Decision) -> Shown:
    """What one would sign on a held batch."""
    return lambda visit: _kept_out(visit, which) or worded.show(visit, _decision(visit, which), _on(visit))


def decide(which: Decision) -> Shown:
    """Takes a signature on a held batch."""

    def taken(visit: Visit) -> Response:
        def hand_in(statement: Statement, line: str, signature: str) -> None:
            record, reason = _batch(visit), _reason(visit)
            assert record.checkpoint is not None, "a decision is open on a batch that is held"
            held = (record.name, record.checkpoint, record.content_digest or "")
            visit.console.ledger.decide(*held, which, reason, line, signature, statement.note)

        kept_out = _kept_out(visit, which) if visit.words else None  # a signature the ledger refuses by itself
        return kept_out or worded.take(visit, _decision(visit, which), hand_in, _on(visit), _batch(visit).name)

    return taken


def _kept_out(visit: Visit, which: Decision) -> Response | None:
    """Why whom the batch's agreement bars has nothing to sign; the audit log has that it was tried."""
    operator, deciders = visit.signed_in.operator, visit.console.ledger.deciders(_batch(visit).name)
    if which not in reader.barred(deciders, operator, visit.roles):
        return None
    visit.console.entrance.gathered.note(Denied(by=operator, act=DECIDES[which], count=1))
    return sign.refused(visit, Barred(operator, DECIDES[which]), _on(visit))


def withdrawal_page(visit: Visit) -> Response:
    """What one would sign to take back one's own decision."""
    return worded.show(visit, _withdrawal(visit), _on(visit))


def withdraw(visit: Visit) -> Response:
    """Takes back one's own decision."""

    def hand_in(statement: Statement, line: str, signature: str) -> None:
        ledger = visit.console.ledger
        signed = ledger.waiting_decision(visit.path("batch"), visit.signed_in.operator)
        ledger.withdraw(signed, line, signature, statement.note)

    return worded.take(visit, _withdrawal(visit), hand_in, _on(visit), _batch(visit).name)


def halt_page(visit: Visit) -> Response:
    """The form that stops all releases."""
    return visit.page("halt.html", made=visit.console.ledger.clock.machine(), reasons=MEANINGS, most=notes.MOST)


def halt(visit: Visit) -> Response:
    """Stops all releases, at once and without a signature: to stop is always safe. Words that cannot be kept do not
    keep it from being done."""
    operator, reason, ledger = visit.signed_in.operator, _reason(visit), visit.console.ledger
    with _HALTING:  # a double click is one halt, or four signatures would have to end it
        if not any((one.operator, one.reason) == (operator, reason) for one in ledger.halts()):
            _insist(lambda: stop(visit.console.home, ledger, operator, reason, visit.words or None))
    return visit.to("/")


def _insist(halt: Callable[[], object]) -> None:
    """A publication may hold the ledger for longer than a form waits: a halt comes back, and then gives up loudly."""
    for _ in range(_HALTING_TRIES - 1):
        try:
            halt()
        except Transient:
            continue
        return
    halt()


def resumption_page(visit: Visit) -> Response:
    """What one would sign to let releases go on."""
    return worded.show(visit, _resumption(visit), "/")


def resume(visit: Visit) -> Response:
    """Takes a signature that releases go on."""

    def hand_in(statement: Statement, line: str, signature: str) -> None:
        visit.console.ledger.resume(_halt(visit), _reason(visit), line, signature, statement.note)

    return worded.take(visit, _resumption(visit), hand_in, "/", None)


def _decision(visit: Visit, which: Decision) -> worded.Made:
    return lambda note: statements.decision(visit.console.ledger, _batch(visit), which, note)


def _withdrawal(visit: Visit) -> worded.Made:
    operator = visit.signed_in.operator
    return lambda note: statements.withdrawal(visit.console.ledger, _batch(visit).name, operator, note)


def _resumption(visit: Visit) -> worded.Made:
    return lambda note: statements.resumption(visit.console.ledger, _halt(visit), note)


def _on(visit: Visit) -> str:
    """The page of the checkpoint that holds the batch, or of the batch."""
    record = _batch(visit)
    return f"/batches/{quote(record.name)}" + (f"/{record.checkpoint}" if record.checkpoint else "")


def _batch(visit: Visit) -> BatchRecord:
    name = visit.path("batch")
    found = visit.console.ledger.batch(name) if NAME.fullmatch(name) else None
    if found is None:
        raise Problem(404)
    return found


def _halt(visit: Visit) -> int:
    number = visit.path("halt")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Problem(404)
    return int(number)


def _reason(visit: Visit) -> Reason:
    """The reason that was chosen; raises Problem for one that stands in no form of ours."""
    try:
        return Reason(visit.form.get("reason", ""))
    except ValueError:
        raise Problem(400) from None
