"""The door of the console: one function for each way in, and what a session is on each request."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.digests import canonical_json
from expectations.base.errors import BadInput, Usage
from flows.ledger import facts
from flows.ledger.core import Core, home_id
from flows.ledger.database.models import Operator, OperatorKey
from flows.ledger.entrance import accounts, identities, invitations, passwords, sessions, tokens
from flows.ledger.entrance.gathered import Counts, Gathered
from flows.ledger.entrance.models import NOBODY, Account
from flows.ledger.entrance.models import Session as Stored
from flows.ledger.entrance.sessions import Limits
from flows.ledger.events import Event
from flows.ledger.events.console import (
    IdentityBound,
    IdentityUnbound,
    Invited,
    Locked,
    PasswordSet,
    SessionEnded,
    SignedIn,
    SignedOut,
    SignInFailed,
)
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of, signing_operator


@dataclass(frozen=True)
class Entered:
    """A session that counts. `id`: the hash of its token."""

    id: str
    operator: str
    created_at: datetime
    seen_at: datetime


class Entrance:
    """Who comes in. Times are this machine's: a wrong clock must not keep those out who set it right."""

    def __init__(self, ledger: Core, limits: Limits | None = None, gathered: Gathered | None = None) -> None:
        self._ledger, self.limits = ledger, limits or Limits()
        self.gathered = gathered or Gathered(ledger)
        self._seen: dict[str, datetime] = {}  # uses that are not stored yet
        self._lock = threading.Lock()

    def ready(self) -> None:
        """Makes what the first sign-in would otherwise wait for: then no name takes longer than another."""
        passwords.fits("", None)
        with self._ledger.transaction() as session:
            if session.get(Account, NOBODY) is None:
                accounts.set_password(session, NOBODY, None)

    def invite(self, operator: str, who: str) -> str:
        """A token that lets an operator set a password, once, within an hour. `who` makes it, who may change operators.
        Raises Usage if either is no operator, or may not."""
        token = tokens.new()
        with self._ledger.transaction() as session:
            active_operator(session, operator)
            require(roles_of(active_operator(session, who)), Act.OPERATORS, who)
            invitations.add(session, _kept(token), operator, self._now())
            self._append(session, Invited(by=operator, who=who))
        return token

    def invited(self, token: str) -> str | None:
        """The operator whose invitation this is; None if it does not count, or does no more."""
        kept = tokens.kept(token)
        with self._ledger.reading() as session:
            return kept and self._invited(session, kept)

    def set_password(self, token: str, password: str) -> str:
        """Sets the password that an invitation is for, ends the operator's sessions, and gives the operator. Raises
        BadInput for a weak password, or an invitation that does not count."""
        operator = self.invited(token)
        if operator is None:
            raise _over()
        passwords.refuse_weak(password, operator)
        hashed = passwords.hashed(password)
        with self._ledger.transaction() as session:
            if self._invited(session, _kept(token)) is None:  # somebody else was faster
                raise _over()
            invitations.use(session, operator)
            accounts.set_password(session, operator, hashed)
            self._append(session, PasswordSet(by=operator))
            self._ended(session, operator, sessions.end_all(session, operator))
        return operator

    def by_password(self, name: str, password: str, before: str = "") -> str | None:
        """The token of a new session, for a name and its password; None for any other. `before`: the token of the
        session that this browser had, which ends. Raises Transient if the database is busy."""
        with self._ledger.reading() as session:
            known = facts.NAME.match(name) is not None and _active(session, name)
            account = name if known and accounts.has_password(session, name) else NOBODY
        with self._ledger.beside() as session:
            trying = accounts.begin(session, account, self._now())
        good = passwords.fits(password, trying.stored)
        if not good or trying.stored is None or trying.locked:
            self._failed(name if known else None, trying.last and account != NOBODY)
            return None
        with self._ledger.transaction() as session:
            if not accounts.right(session, name, trying.stored) or not _active(session, name):
                return None
            return self._opened(session, name, before)

    def sign_in_text(self, origin: str) -> bytes:
        """What a passkey signs (namespace signatures.SIGN_IN) to come in at this origin, in this home."""
        with self._ledger.reading() as session:
            return canonical_json({"sign_in": origin, "home": home_id(session)})

    def by_passkey(self, line: str, signature: str, text: bytes, before: str = "") -> str | None:
        """The token of a new session, for an operator whose passkey signed `sign_in_text`; None if it does not count.
        That it was asked for only once, and a moment ago, the caller knows. `before`: as of `by_password`."""
        try:
            with self._ledger.transaction() as session:
                given = signing_operator(session, text, line, signature, signatures.SIGN_IN, Act.VIEW)
                return self._opened(session, given.signer, before, given.named.key)
        except BadInput:
            self._failed(None, False)
            return None

    def by_identity(self, issuer: str, subject: str, before: str = "") -> str | None:
        """The token of a new session, for the operator whose identity a provider has proven; None if it is nobody's.
        `before`: as of `by_password`."""
        with self._ledger.transaction() as session:
            operator = identities.operator_of(session, issuer, subject)
            if operator and _active(session, operator):
                return self._opened(session, operator, before, issuer=identities.issuer_digest(issuer))
        self.failed()
        return None

    def bind(self, token: str, issuer: str, subject: str, before: str = "") -> str | None:
        """Binds an identity that a provider has proven to the operator whose invitation this is, ends the operator's
        sessions, and gives the token of a new one; None if the invitation does not count, or the identity is another
        operator's. `before`: as of `by_password`."""
        with self._ledger.transaction() as session:
            kept = tokens.kept(token)
            operator = kept and self._invited(session, kept)
            if operator and identities.bind(session, operator, issuer, subject, self._now()):
                invitations.use(session, operator)
                of = identities.issuer_digest(issuer)
                self._append(session, IdentityBound(by=operator, issuer=of))
                self._ended(session, operator, sessions.end_all(session, operator))
                return self._opened(session, operator, before, issuer=of)
        self.failed()
        return None

    def unbind(self, operator: str, who: str) -> None:
        """Takes an operator's identity away, and ends the operator's sessions. `who` does it, who may change operators.
        Raises Usage if either may not, or there is none."""
        with self._ledger.transaction() as session:
            require(roles_of(active_operator(session, who)), Act.OPERATORS, who)
            issuers = identities.unbind(session, operator)
            if not issuers:
                what, remedy = "no identity is bound to an operator of this name", "See sluicegate operator list."
                raise Usage("NOT_BOUND", what, remedy=remedy)
            for issuer in issuers:
                self._append(session, IdentityUnbound(by=operator, who=who, issuer=issuer))
            self._ended(session, operator, sessions.end_all(session, operator))

    def failed(self) -> None:
        """Counts that somebody did not come in of whom nothing is known."""
        self._failed(None, False)

    def _failed(self, known: str | None, locks: bool) -> None:
        """Gathered, not written: an answer takes the same time whether the name is known or not."""
        told: list[Counts] = [SignInFailed(by=known, count=1)]
        if known and locks:
            told.append(Locked(by=known, count=1))
        for event in told:
            self.gathered.note(event)

    def _opened(
        self, session: Session, operator: str, before: str, key: str | None = None, issuer: str | None = None
    ) -> str:
        """Opens a session, whichever way its operator came in."""
        token = tokens.new()
        if kept := tokens.kept(before):
            for one, count in sessions.end(session, [kept]).items():
                self._ended(session, one, count)
        sessions.opened(session, _kept(token), operator, self._now())
        self._append(session, SignedIn(by=operator, key=key, issuer=issuer))
        return token

    def entered(self, token: str) -> Entered | None:
        """The session of this token, if it counts now; it is used by that."""
        if (kept := tokens.kept(token)) is None:
            return None
        with self._ledger.reading() as session:
            found = sessions.find(session, kept)
            one = self._entered(found) if found and _counts(session, found) else None
        if one is None:
            return None
        with self._lock:
            self._seen[kept] = now = self._now()
        return Entered(one.id, one.operator, one.created_at, now)

    def of(self, operator: str) -> list[Entered]:
        """The sessions of an operator that count now, the newest first."""
        with self._ledger.reading() as session:
            return [one for one in map(self._entered, sessions.of(session, operator)) if one]

    def sign_out(self, one: Entered) -> None:
        """Ends this session."""
        with self._ledger.transaction() as session:
            if sessions.end(session, [one.id]):
                self._append(session, SignedOut(by=one.operator))

    def end_all(self, operator: str) -> None:
        """Ends all sessions of an operator."""
        with self._ledger.transaction() as session:
            self._ended(session, operator, sessions.end_all(session, operator))

    def store(self) -> None:
        """Stores when sessions were used, and ends those that have reached a limit, or whose operator was revoked."""
        with self._lock:
            seen, self._seen = self._seen, {}
        try:
            if seen:
                with self._ledger.beside() as session:
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
        return self._entered(one) is None or not _counts(session, one)

    def _entered(self, one: Stored) -> Entered | None:
        created, seen = (datetime.fromisoformat(at) for at in (one.created_at, one.seen_at))
        with self._lock:
            seen = max(seen, self._seen.get(one.token, seen))
        over = self.limits.over(created, seen, self._now())
        return None if over else Entered(one.token, one.operator, created, seen)

    def _invited(self, session: Session, kept: str) -> str | None:
        operator = invitations.operator_of(session, kept, self._now())
        return operator if operator and _active(session, operator) else None

    def _ended(self, session: Session, operator: str, count: int) -> None:
        if count:
            self._append(session, SessionEnded(by=operator, count=count))

    def _append(self, session: Session, event: Event, *names: str) -> None:
        at = self._ledger.stamp_or_newest(session)
        self._ledger.append(session, None, event, also=set(names), at=at)

    def _now(self) -> datetime:
        return self._ledger.clock.machine().astimezone(UTC)


def _active(session: Session, name: str) -> bool:
    operator = session.get(Operator, name)
    return operator is not None and operator.revoked_at is None


def _counts(session: Session, one: Stored) -> bool:
    """Whether its operator is there, and has lost no key since it began: whoever took the key may have opened it."""
    lost = select(func.max(OperatorKey.removed_at)).where(OperatorKey.operator == one.operator)
    removed = session.scalar(lost)
    return _active(session, one.operator) and (removed is None or removed < one.created_at)


def _kept(token: str) -> str:
    kept = tokens.kept(token)
    assert kept is not None, "a token of ours looks like one"
    return kept


def _over() -> BadInput:
    what = "this invitation was used, is older than an hour, or is none of ours"
    return BadInput("INVITATION_OVER", what, remedy="Ask for another: sluicegate console invite NAME --key KEY")
