"""What every way in shares: how a session begins, and how the ledger is told."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flows.ledger.core import Core
from flows.ledger.database.models import Operator, OperatorKey
from flows.ledger.entrance import sessions, tokens
from flows.ledger.entrance.gathered import Counts, Gathered
from flows.ledger.entrance.models import Session as Stored
from flows.ledger.entrance.sessions import Limits
from flows.ledger.events import Event
from flows.ledger.events.console import Locked, SessionEnded, SignedIn, SignInFailed
from flows.ledger.facts import Failure, Way


@dataclass(frozen=True)
class From:
    """Where somebody comes from. `before`: the token of the session that this browser had, which ends; `source`: the
    keyed hash of the address."""

    before: str = ""
    source: str = ""


@dataclass(frozen=True)
class Entered:
    """A session that counts. `id`: the hash of its token; `proved_at`: when a second factor was last shown, None if
    there was one alone: then it opens nothing but the way to show a key."""

    id: str
    operator: str
    created_at: datetime
    seen_at: datetime
    proved_at: datetime | None


class Door:
    """Times are this machine's: a wrong clock must not keep those out who set it right. `known`: a file of leaked
    passwords."""

    def __init__(
        self,
        ledger: Core,
        limits: Limits | None = None,
        gathered: Gathered | None = None,
        known: Path | None = None,
    ) -> None:
        self._ledger, self.limits, self._known = ledger, limits or Limits(), known
        self.gathered = gathered or Gathered(ledger)
        self._seen: dict[str, datetime] = {}  # uses that are not stored yet
        self._lock = threading.Lock()

    def failed(self, known: str | None, way: Way, why: Failure, at: From, locks: bool = False) -> None:
        """Gathered, not written: an answer takes the same time whether the name is known or not. `known`: an operator;
        `locks`: this one locked the name there."""
        told: list[Counts] = [SignInFailed(by=known, count=1, way=way, why=why, source=at.source or None)]
        if known and locks:
            told.append(Locked(by=known, count=1, source=at.source or None))
        for event in told:
            self.gathered.note(event)

    def _opened(
        self,
        session: Session,
        operator: str,
        at: From,
        way: Way,
        key: str | None = None,
        issuer: str | None = None,
        both: bool = False,
        began: datetime | None = None,
    ) -> str:
        """Opens a session, whichever way its operator came in; the one that this browser had ends. `key`: fingerprint
        of the key that was shown; `issuer`: of the provider that was asked, and whether it proved `both` factors.
        With neither of them it opens nothing yet. `began`: when the session did in whose place it comes."""
        token, proved = tokens.new(), key is not None or both
        if kept := tokens.kept(at.before):
            for one, count in sessions.end(session, [kept]).items():
                if one != operator:
                    self._ended(session, one, count)
        self._ended(session, operator, sessions.end_oldest(session, operator, proved, self.limits.most - 1))
        sessions.opened(session, kept_of(token), operator, self._now(), proved, at.source, began)
        factors = (2 if both else 1) if issuer else None
        source = at.source or None
        self._append(session, SignedIn(by=operator, key=key, way=way, source=source, issuer=issuer, factors=factors))
        return token

    def _ended(self, session: Session, operator: str, count: int, who: str | None = None) -> None:
        if count:
            self._append(session, SessionEnded(by=operator, count=count, who=who))

    def _append(self, session: Session, event: Event) -> None:
        self._ledger.append(session, None, event, at=self._ledger.stamp_or_newest(session))

    def _now(self) -> datetime:
        return self._ledger.clock.machine().astimezone(UTC)


def is_active(session: Session, name: str) -> bool:
    """Whether there is an operator of this name now."""
    operator = session.get(Operator, name)
    return operator is not None and operator.revoked_at is None


def counts(session: Session, one: Stored) -> bool:
    """Whether its operator is there, and has lost no key since it began: whoever took the key may have opened it."""
    lost = select(func.max(OperatorKey.removed_at)).where(OperatorKey.operator == one.operator)
    removed = session.scalar(lost)
    return is_active(session, one.operator) and (removed is None or removed < one.created_at)


def kept_of(token: str) -> str:
    """What is kept of a token of ours."""
    kept = tokens.kept(token)
    assert kept is not None, "a token of ours looks like one"
    return kept
