"""Sessions that count, and their end."""

from datetime import datetime

from sqlalchemy.orm import Session

from flows.ledger.entrance import accounts, sessions, tokens
from flows.ledger.entrance.door import Door, Entered, counts
from flows.ledger.entrance.models import Session as Stored
from flows.ledger.events.console import SignedOut
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of


class Staying(Door):
    """What a session is on each request."""

    def entered(self, token: str) -> Entered | None:
        """The session of this token, if it counts now; it is used by that."""
        if (kept := tokens.kept(token)) is None:
            return None
        with self._ledger.reading() as session:
            found = sessions.find(session, kept)
            one = self._entered(found) if found and counts(session, found) else None
        if one is None:
            return None
        with self._lock:
            self._seen[kept] = now = self._now()
        return Entered(one.id, one.operator, one.created_at, now, one.proved_at)

    def is_fresh(self, one: Entered) -> bool:
        """Whether a key was shown a moment ago, so that sensitive things may be done."""
        return one.proved_at is not None and self._now() < one.proved_at + self.limits.fresh

    def of(self, operator: str | None = None) -> list[Entered]:
        """The sessions of an operator, or of all, that count now, the newest first."""
        with self._ledger.reading() as session:
            stored = [one for one in sessions.of(session, operator) if counts(session, one)]
            return [one for one in map(self._entered, stored) if one]

    def sign_out(self, one: Entered) -> None:
        """Ends this session."""
        with self._ledger.transaction() as session:
            if sessions.end(session, [one.id]):
                self._append(session, SignedOut(by=one.operator))

    def end(self, operator: str, id: str) -> None:
        """Ends one session of an operator; nothing if it is another's, or has ended."""
        with self._ledger.transaction() as session:
            if any(one.token == id for one in sessions.of(session, operator)):
                self._ended(session, operator, sessions.end(session, [id])[operator])

    def end_all(self, operator: str) -> None:
        """Ends all sessions of an operator, who asks for it."""
        with self._ledger.transaction() as session:
            self._ended(session, operator, sessions.end_all(session, operator))

    def end_sessions(self, who: str, operator: str | None = None) -> int:
        """Ends all sessions of an operator, or everybody's; gives how many. `who` does it, who may change operators.
        Raises Usage if either is no operator, or may not."""
        with self._ledger.transaction() as session:
            require(roles_of(active_operator(session, who)), Act.OPERATORS, who)
            if operator is not None:
                active_operator(session, operator)
            ended = sessions.end(session, [one.token for one in sessions.of(session, operator)])
            for name, count in sorted(ended.items()):
                self._ended(session, name, count, who)
        return sum(ended.values())

    def store(self) -> None:
        """Stores when sessions were used, and ends those that have reached a limit, or whose operator was revoked."""
        with self._lock:
            seen, self._seen = self._seen, {}
        try:
            if seen:
                with self._ledger.beside() as session:
                    accounts.forget(session, self._now())
                    for token, at in seen.items():
                        sessions.seen(session, token, at)
            with self._ledger.reading() as session:
                over = [one.token for one in sessions.of(session) if self._is_over(session, one)]
        except BaseException:
            with self._lock:
                self._seen = seen | self._seen
            raise
        if over:
            with self._ledger.transaction() as session:
                for operator, count in sorted(sessions.end(session, over).items()):
                    self._ended(session, operator, count)

    def _is_over(self, session: Session, one: Stored) -> bool:
        return self._entered(one) is None or not counts(session, one)

    def _entered(self, one: Stored) -> Entered | None:
        created, seen = (datetime.fromisoformat(at) for at in (one.created_at, one.seen_at))
        with self._lock:
            seen = max(seen, self._seen.get(one.token, seen))
        proved = datetime.fromisoformat(one.proved_at) if one.proved_at else None
        over = self.limits.over(created, seen, self._now())
        return None if over else Entered(one.token, one.operator, created, seen, proved)
