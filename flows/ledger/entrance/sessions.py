"""Sessions as they are stored: when one has ended, and how it is ended."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session as Database

from flows.ledger.database.models import stamp
from flows.ledger.entrance.models import Session

_KEPT = timedelta(days=30)  # after its beginning; then one that has ended is deleted


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: unused, and at most; how many an operator has at once; for how long a key that was
    shown lets sensitive things be done."""

    idle: timedelta = timedelta(minutes=30)
    whole: timedelta = timedelta(hours=10)
    skew: timedelta = timedelta(seconds=5)
    most: int = 5
    fresh: timedelta = timedelta(minutes=5)

    def over(self, created: datetime, seen: datetime, now: datetime) -> bool:
        """Whether a session has reached a limit; also if the clock went back behind it."""
        behind = now + self.skew < max(created, seen)
        return behind or now >= created + self.whole or now >= seen + self.idle


def opened(
    database: Database,
    token: str,
    operator: str,
    now: datetime,
    proved: bool,
    source: str,
    began: datetime | None = None,
) -> None:
    """Stores a new one; old ones that have ended go. `proved`: a key was shown, too; `source`: from where;
    `began`: when the one began that goes on as this one, with the limit that it had."""
    old = Session.created_at < stamp(now - _KEPT)
    database.execute(delete(Session).where(old, Session.ended.is_(True)))
    at = stamp(now)
    proved_at = at if proved else None
    database.add(
        Session(
            token=token,
            operator=operator,
            created_at=stamp(began) if began else at,
            seen_at=at,
            ended=False,
            proved_at=proved_at,
            source=source,
        )
    )


def end_oldest(database: Database, operator: str, proved: bool, most: int) -> int:
    """Ends the oldest of an operator, so that `most` are left; gives how many. Those of a password alone are counted
    apart: whoever knows it ends no other."""
    alike = [one for one in of(database, operator) if (one.proved_at is not None) is proved]
    return sum(end(database, [one.token for one in alike[most:]]).values())


def known(database: Database, operator: str, source: str) -> bool:
    """Whether this operator has come in from there lately, with a key."""
    there = (Session.operator == operator) & (Session.source == source) & Session.proved_at.is_not(None)
    return database.scalar(select(Session.token).where(there).limit(1)) is not None


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
