"""What the instruments allow together on a day: one agreement, and every court order against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from expectations.instruments.agreement import Agreement
from expectations.instruments.effects import OnBatch
from expectations.instruments.orders import CourtOrder


@dataclass(frozen=True)
class Standing:
    """The orders that stand against requests under an agreement, statute and purpose on a day, by what they do.

    forbid    orders under which nothing may be released; hold: orders under which the batch waits
    fields    what may still be released of the agreement's fields, in their order; `fewer`: orders that took some away
    states    (order, states) whose rows are held; persons: (order, list) outside which rows are held
    barred    (order, list) on which rows are held
    """

    forbid: tuple[str, ...]
    hold: tuple[str, ...]
    fields: tuple[str, ...]
    fewer: tuple[str, ...]
    states: tuple[tuple[str, tuple[str, ...]], ...]
    persons: tuple[tuple[str, str], ...]
    barred: tuple[tuple[str, str], ...]

    @property
    def cites(self) -> tuple[str, ...]:
        """Ids of all orders that narrow anything."""
        rows = {order for order, _ in (*self.states, *self.persons, *self.barred)}
        return tuple(sorted({*self.forbid, *self.hold, *self.fewer, *rows}))


def standing(agreement: Agreement, orders: Iterable[CourtOrder], statute: str, purpose: str, day: date) -> Standing:
    """`orders`: all that are enrolled, in force or not. An order applies from its effective day on; it ends on the day
    it is lifted, or on the effective day of an order that lifts or supersedes it."""
    against = list(_against(agreement, orders, statute, day))
    limits = [(o.id, o.only) for o in against if o.only and not o.scope.districts]
    forbid, hold = _on_whole(against)
    fields, fewer = set(agreement.fields), []
    for order in against:
        gone = _taken(order, agreement)
        if fields & gone:
            fewer.append(order.id)
        fields -= gone
    forbid += [order for order, only in limits if only.purposes is not None and purpose not in only.purposes]
    forbid += fewer if not fields else []
    return Standing(
        tuple(sorted(set(forbid))),
        tuple(sorted(hold)),
        tuple(f for f in agreement.fields if f in fields),
        tuple(sorted(fewer)),
        tuple((o.id, tuple(sorted(o.scope.states))) for o in against if _by_place(o, purpose)),
        tuple((order, only.persons) for order, only in limits if only.persons),
        tuple((o.id, o.barred) for o in against if o.barred),
    )


def superseded(agreement: Agreement, agreements: Iterable[Agreement], day: date) -> tuple[str, ...]:
    """Ids of agreements in force on that day that supersede this one."""
    return tuple(sorted(a.id for a in agreements if agreement.id in a.supersedes and a.valid_from <= day))


def preserved(agreement: Agreement, orders: Iterable[CourtOrder], day: date) -> tuple[str, ...]:
    """Ids of the orders under which what was disclosed under this agreement must be kept as it is on that day: nothing
    of it may be destroyed or returned. An order in force that names them in `disposal_despite` allows it.

    Whichever of its statutes, fields or districts an order speaks of, it counts: in doubt it is preserved.
    """
    known = list(orders)
    over = ended(known, day)
    under = [(agreement.id, agreement.requester.id, statute) for statute in agreement.statutes]
    against = [o for o in known if o.in_force(day) and o.id not in over and any(o.covers(*one) for one in under)]
    allowed = {other for o in against for other in o.disposal_despite}
    return tuple(sorted(o.id for o in against if o.preserve and o.id not in allowed))


def against(agreement: Agreement, orders: Iterable[CourtOrder], day: date) -> tuple[str, ...]:
    """Ids of the orders that stand against requests under this agreement on that day, whichever the statute."""
    known = list(orders)
    return tuple(sorted({o.id for statute in agreement.statutes for o in _against(agreement, known, statute, day)}))


def ended(orders: Iterable[CourtOrder], day: date) -> frozenset[str]:
    """Ids of the orders that others have lifted or superseded by that day. What was itself ended ends nothing any more,
    and orders that end each other end nothing: in doubt an order stands."""
    ends = {o.id: {*o.lifts, *o.supersedes} for o in orders if o.in_force(day)}
    over: frozenset[str] = frozenset()
    while True:
        sure = (o for o in ends if all(other in over for other, some in ends.items() if o in some))
        found = frozenset(gone for o in sure for gone in ends[o])
        if found == over:
            return over
        over = found


def _against(agreement: Agreement, orders: Iterable[CourtOrder], statute: str, day: date) -> Iterator[CourtOrder]:
    known = sorted(orders, key=lambda o: o.id)
    over = ended(known, day)
    agreements = (agreement.id, *agreement.supersedes)  # a renewal under another id is still what the order speaks of
    for order in known:
        covered = any(order.covers(one, agreement.requester.id, statute) for one in agreements)
        if covered and not order.does.idle and order.id not in over and order.in_force(day):
            yield order


def _on_whole(against: Iterable[CourtOrder]) -> tuple[list[str], list[str]]:
    """Ids of the orders for which nothing of a batch may be released, and of those for which it waits."""
    forbid: list[str] = []
    hold: list[str] = []
    for order in against:
        if order.whole:
            match order.does.on_batch:
                case OnBatch.FORBIDDEN:
                    forbid.append(order.id)
                case OnBatch.WAITS:
                    hold.append(order.id)
                case OnBatch.GOES_ON:
                    pass
                case unknown:
                    assert_never(unknown)
    return forbid, hold


def _taken(order: CourtOrder, agreement: Agreement) -> set[str]:
    """The fields that may not be released because of this order."""
    if order.scope.districts:
        return set()
    taken = set(order.scope.fields)
    if order.only and order.only.fields is not None:
        taken = (taken or set(agreement.fields)) - set(order.only.fields)
    return taken


def _by_place(order: CourtOrder, purpose: str) -> bool:
    """It holds the rows of its districts: whatever it does there, such a row is not what it still allows."""
    only = order.only
    allowed = only is not None and only.fields is None and only.persons is None and purpose in (only.purposes or ())
    return bool(order.scope.districts) and not allowed
