"""Sessions as they are stored: when one has ended, and how it is ended."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session as Database

from flows.ledger.database.models import stamp
from flows.ledger.entrance.models import Session

_KEPT = timedelta(days=2)  # after its beginning; then one that has ended is deleted


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: unused, and at most."""

    idle: timedelta = timedelta(minutes=30)
    whole: timedelta = timedelta(hours=10)
    skew: timedelta = timedelta(seconds=5)

    def over(self, created: datetime, seen: datetime, now: datetime) -> bool:
        """Whether a session has reached a limit; also if the clock went back behind it."""
        behind = now + self.skew < max(created, seen)
        return behind or now >= created + self.whole or now >= seen + self.idle


def opened(database: Database, token: str, operator: str, now: datetime) -> None:
    """Stores a new one; old ones that have ended go."""
    old = Session.created_at < stamp(now - _KEPT)
    database.execute(delete(Session).where(old, Session.ended.is_(True)))
    at = stamp(now)
    database.add(Session(token=token, operator=operator, created_at=at, seen_at=at, ended=False))


def find(database: Database, token: str) -> Session | None:
    """The session of this token (its hash), if nobody has ended it."""
    found = database.get(Session, token)
    return found if found and not found.ended else None


def of(database: Database, operator: str | None = None) -> list[Session]:
    """Those that nobody has ended, the newest first: of an operator, or of all."""
    query = select(Session).where(Session.ended.is_(False)).order_by(Session.created_at.desc(), Session.token)
    return list(database.scalars(query if operator is None else query.where(Session.operator == operator)))


def end(database: Database, tokens: Collection[str]) -> Counter[str]:
    """Ends these; gives how many of each operator were not ended before."""
    ended: Counter[str] = Counter()
    for token in tokens:
        found = database.get(Session, token, with_for_update=True)
        if found and not found.ended:
            found.ended = True
            ended[found.operator] += 1
    return ended


def end_all(database: Database, operator: str) -> int:
    """Ends all of an operator; gives how many."""
    here = update(Session).where(Session.operator == operator, Session.ended.is_(False)).values(ended=True)
    done = database.execute(here)
    assert isinstance(done, CursorResult)
    return done.rowcount


def seen(database: Database, token: str, at: datetime) -> None:
    """Somebody used it then."""
    later = update(Session).where(Session.token == token, Session.seen_at < stamp(at))
    database.execute(later.values(seen_at=stamp(at)))
