"""What waits is set aside for a while in a browser, and taken back; others are asked to look at it; and the mark up to
which decisions were seen."""

from datetime import UTC, datetime

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from flows.console.web import sign
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.evidence import notes
from flows.ledger.calling import CALL_MEANINGS, CallReason
from flows.ledger.entrance import seen
from flows.ledger.facts import DIGEST
from flows.ledger.snoozing import MOST, SNOOZE_MEANINGS, SnoozeReason
from flows.schedule import snooze
from flows.schedule.things import Waits

# Which times the form offers; the command takes any between.
HOURS = (4, 8, 24, 48, int(MOST.total_seconds() // 3600))


def page(visit: Visit) -> Response:
    """The form that sets one thing aside."""
    try:
        one = _thing(visit)
    except Usage as error:
        return sign.refused(visit, error, "/")
    now = visit.console.ledger.clock.machine()
    return visit.page("snooze.html", made=now, one=one.told(now), reasons=SNOOZE_MEANINGS, hours=HOURS, most=notes.MOST)


def set_aside(visit: Visit) -> Response:
    """Sets it aside, as it was looked at."""
    hours, reason = visit.form.get("hours", ""), visit.form.get("reason", "")
    if hours not in map(str, HOURS) or reason not in list(SnoozeReason):
        raise Problem(400)
    try:
        one = _thing(visit)
        note = visit.note(snooze.batch_of(one))
        snooze.snooze(visit.console.ledger, one, visit.signed_in.operator, SnoozeReason(reason), int(hours), note)
    except (Usage, BadInput) as error:
        return sign.refused(visit, error, "/")
    visit.console.fresh.forget()
    return visit.to("/")


def take_back(visit: Visit) -> Response:
    """It waits like all else again."""
    try:
        snooze.unsnooze(visit.console.ledger, _thing(visit), visit.signed_in.operator)
    except Usage as error:
        return sign.refused(visit, error, "/")
    visit.console.fresh.forget()
    return visit.to("/")


def call_page(visit: Visit) -> Response:
    """The form that asks others to look at one thing."""
    try:
        one = _thing(visit)
    except Usage as error:
        return sign.refused(visit, error, "/")
    now = visit.console.ledger.clock.machine()
    return visit.page("call.html", made=now, one=one.told(now), reasons=CALL_MEANINGS, most=notes.MOST)


def call(visit: Visit) -> Response:
    """Asks them, about what was looked at."""
    reason = visit.form.get("reason", "")
    if reason not in list(CallReason):
        raise Problem(400)
    try:
        one = _thing(visit)
        note = visit.note(snooze.batch_of(one))
        snooze.call(visit.console.ledger, one, visit.signed_in.operator, CallReason(reason), note)
    except (Usage, BadInput) as error:
        return sign.refused(visit, error, "/")
    visit.console.fresh.forget()
    return visit.to("/")


def mark(visit: Visit) -> Response:
    """What was decided up to when the page was made is seen."""
    try:
        at = datetime.fromisoformat(visit.form.get("at", ""))
        if at.tzinfo is None:
            raise ValueError
        seen.mark(visit.console.ledger, visit.signed_in.operator, at.astimezone(UTC))
    except (ValueError, OverflowError):
        raise Problem(400) from None
    return visit.to("/")


def _thing(visit: Visit) -> Waits:
    """What the URL names; raises Usage if it does not wait as that any more."""
    named = visit.path("thing")
    if not DIGEST.match(named):
        raise Problem(404)
    return snooze.thing(visit.console.home, visit.console.ledger, named)
