"""What the enrolled instruments leave possible on a day, for people: `expectations.instruments.standing` in words."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from expectations.base.clock import Clock
from expectations.base.errors import Usage
from expectations.instruments import Agreement, Standing, cleared, standing
from expectations.instruments.standing import superseded
from flows.registry.enrolled import Enrolled


def on_day(
    known: Enrolled, clock: Clock, on: date | None, agreement: str | None, statute: str | None, purpose: str | None
) -> list[dict[str, Any]]:
    """For each agreement, statute and purpose (or those asked for): what may be released on that day, and what forbids
    the rest. `on` is a day in the agreement's legal zone; left out, it is today there. Raises Usage if no agreement has
    what is asked for."""
    found = [
        _one(under, known, s, p, on or clock.today(under.zone))
        for under in known.agreements.values()
        if agreement in (None, under.id)
        for s in under.statutes
        if statute in (None, s)
        for p in under.purposes
        if purpose in (None, p)
    ]
    if not found:
        nothing = "no enrolled agreement has this id, statute and purpose"
        raise Usage("NOTHING_ASKED", nothing, remedy="See sluicegate instruments list, and show.")
    return found


def _one(under: Agreement, known: Enrolled, statute: str, purpose: str, day: date) -> dict[str, Any]:
    left = standing(under, known.orders.values(), statute, purpose, day)
    stops: dict[str, list[str]] = {
        "AGREEMENT_NOT_IN_FORCE": [] if under.in_force(day) else [under.id],
        "AGREEMENT_SUPERSEDED": list(superseded(under, known.agreements.values(), day)),
        "SAFEGUARDS_OPEN": [] if under.safeguards.in_force(day) else [under.id],
        "NO_CLEARANCE": [] if cleared(under, known.determinations.values(), day) else [under.id],
        "COURT_ORDER": list(left.forbid),
        "COURT_ORDER_HOLDS": list(left.hold),
    }
    stops = {code: ids for code, ids in stops.items() if ids}
    return {
        "agreement": under.id,
        "day": day,
        "statute": statute,
        "purpose": purpose,
        "may_leave": [] if stops else list(left.fields),
        "stopped_by": stops,
        "fields_taken_by": list(left.fewer),
        "rows_held_in": {order: list(states) for order, states in left.states},
        "only_persons_on": dict(left.persons),
        "no_persons_on": dict(left.barred),
        "why": [*(f"{code}: {', '.join(ids)}" for code, ids in stops.items()), *_in_words(left, under)],
    }


def _in_words(left: Standing, under: Agreement) -> Iterator[str]:
    gone = [f for f in under.fields if f not in left.fields]
    if left.fewer:
        yield f"{', '.join(left.fewer)}: without {', '.join(gone)}"
    for order, states in left.states:
        yield f"{order}: rows of {', '.join(states)} are held"
    for order, which in left.persons:
        yield f"{order}: only persons on the list {which}"
    for order, which in left.barred:
        yield f"{order}: no persons on the list {which}"
