"""What an operator should hear of their own account: tries that failed, locks, one factor that was right without the
other, and credentials that changed. All of it is read from the chain."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.ledger import chain
from flows.ledger.core import Core
from flows.ledger.database.models import Event, stamp
from flows.ledger.entrance.door import Entered
from flows.ledger.events.base import Kind

MOST = timedelta(days=30)  # so far back one hears of it
CREDENTIALS = (Kind.PASSWORD_SET, Kind.INVITED, Kind.OPERATOR_KEY, Kind.IDENTITY_BOUND, Kind.IDENTITY_UNBOUND)
TRIES = (Kind.SIGN_IN_FAILED, Kind.LOCKED, Kind.SIGNED_IN)


@dataclass(frozen=True)
class Noticed:
    """An event about somebody's account."""

    at: datetime
    kind: Kind
    facts: dict[str, Any]

    @property
    def whole(self) -> bool:
        """Of a sign-in: whether a key was shown, or a provider proved both factors."""
        return "key" in self.facts or self.facts.get("factors", 2 if "issuer" in self.facts else 1) == 2


@dataclass(frozen=True)
class News:
    """`before`: the sign-in before this session's, if there was one in the last 30 days; `found`: what was noticed
    since then, or in those days, the oldest first."""

    before: Noticed | None
    found: tuple[Noticed, ...]


def news(ledger: Core, one: Entered, idle: timedelta) -> News:
    """What happened to the account of whoever is in this session since they came in before. `idle`: one factor that was
    right is nothing to tell if the other followed within this time, from there."""
    since = ledger.clock.machine().astimezone(UTC) - MOST
    with ledger.reading() as session:
        found = list(_about(session, one.operator, since))
    whole = [each for each in found if each.kind is Kind.SIGNED_IN and each.whole]
    before = max((each for each in whole if each.at < one.created_at), key=lambda each: each.at, default=None)
    later = [each for each in found if before is None or each.at > before.at]
    return News(before, tuple(each for each in later if _tells(each, whole, idle)))


def _tells(one: Noticed, whole: Iterable[Noticed], idle: timedelta) -> bool:
    if one.kind is not Kind.SIGNED_IN:
        return True
    theirs = (each.at for each in whole if each.facts.get("source") == one.facts.get("source"))
    return not one.whole and not any(one.at <= at <= one.at + idle for at in theirs)


def _about(session: Session, operator: str, since: datetime) -> Iterator[Noticed]:
    query = select(Event).where(Event.seq >= _first(session, stamp(since)), Event.kind.in_((*TRIES, *CREDENTIALS)))
    for event in session.scalars(query.order_by(Event.seq)):
        facts = json.loads(event.facts)
        if facts.get("operator", facts.get("by")) == operator:
            yield Noticed(datetime.fromisoformat(event.at), Kind(event.kind), facts)


def _first(session: Session, at: str) -> int:
    """The number of the first event of this time or later, by halves: times in the chain never go back, and the whole
    of a long chain is not read for each page."""
    low, high = 1, chain.head_but(session, ()).seq + 1
    while low < high:
        middle = (low + high) // 2
        if (session.scalar(select(Event.at).where(Event.seq == middle)) or "") < at:
            low = middle + 1
        else:
            high = middle
    return low
