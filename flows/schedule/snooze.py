"""Sets aside for a while what waits, takes that back, and asks others to look at it: for the command line and the
console. What is set aside stays listed and counted; it comes back by itself at that time, a day before its deadline, or
once anything about it changes. Others being asked changes nothing but that they are told.
"""

from datetime import timedelta

from expectations.base.errors import Usage
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.calling import CallReason
from flows.ledger.snoozing import SnoozeReason
from flows.schedule.things import Kind, Waits
from flows.schedule.waiting import looked_in

_ALWAYS = frozenset({Kind.UNKNOWN, Kind.RESTORED})  # nobody knows what waits, or nothing runs: never set aside
_BATCHES = frozenset({Kind.FAILED, Kind.HELD, Kind.HALTED})  # whose id is a batch's name


def find(home: Home, ledger: Ledger, id: str, kind: Kind | None = None) -> Waits:
    """What waits under this id. Raises Usage if nothing does, or several things of different kinds."""
    found = [one for one in looked_in(home, ledger)[1] if one.id == id and kind in (None, one.kind)]
    if not found:
        raise Usage("NOTHING_WAITS", "nothing waits under this id", remedy="See sluicegate status.")
    if len(found) > 1:
        kinds = ", ".join(sorted({one.kind.value for one in found}))
        raise Usage("WAITS_TWICE", "several things wait under this id", where=id, remedy=f"Add --kind, of: {kinds}.")
    return found[0]


def thing(home: Home, ledger: Ledger, digest: str) -> Waits:
    """What waits as exactly this. Raises Usage if it does no more."""
    for one in looked_in(home, ledger)[1]:
        if one.thing == digest:
            return one
    raise _changed()


def may_be(one: Waits) -> bool:
    """Whether this is of a kind that may be set aside at all."""
    return one.kind not in _ALWAYS


def snooze(
    ledger: Ledger, one: Waits, operator: str, reason: SnoozeReason, hours: int, note: str | None = None
) -> None:
    """Sets it aside for so many hours. Raises as `Ledger.snooze`; Usage for what is never set aside, or would still be
    a day before its deadline. `note`: digest of what was written about it."""
    now = ledger.clock.now()
    if not may_be(one):
        raise Usage("NEVER_SNOOZED", "this is never set aside: until it is done, nobody knows what else waits")
    until = now + timedelta(hours=hours)
    if one.is_due(until):
        what = "its deadline is too near: a day before that it waits like all else"
        raise Usage("SNOOZE_TOO_LONG", what, remedy="Choose a shorter time, or do it now.")
    ledger.snooze(one.thing, operator, reason, until, batch_of(one), note)


def unsnooze(ledger: Ledger, one: Waits, operator: str) -> None:
    """It waits like all else again. Raises as `Ledger.unsnooze`."""
    ledger.unsnooze(one.thing, operator, batch_of(one))


def call(ledger: Ledger, one: Waits, operator: str, reason: CallReason, note: str | None = None) -> int:
    """Asks others to look at it; gives the event's number. Raises as `Ledger.call`. Whoever is told, is told by the
    relay and Prefect, by `watch`, or by the next night."""
    return ledger.call(one.thing, operator, reason, batch_of(one), note)


def batch_of(one: Waits) -> str | None:
    """The batch that waits; None of anything else."""
    return one.id if one.kind in _BATCHES else None


def _changed() -> Usage:
    return Usage("STALE_PAGE", "what you looked at has changed since, and nothing was done", remedy="Look at it again.")
