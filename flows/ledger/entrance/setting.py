"""Passwords are set: by an invitation, or by whoever knows the one before."""

from sqlalchemy.orm import Session

from expectations.base.errors import BadInput
from flows.ledger.entrance import accounts, invitations, passwords, sessions, tokens
from flows.ledger.entrance.door import Door, Entered, From, is_active, kept_of
from flows.ledger.events.console import Invited, PasswordSet
from flows.ledger.facts import Failure, Way
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of


class Setting(Door):
    """Each new password ends the sessions of its operator."""

    def invite(self, operator: str, who: str) -> str:
        """A code with which an operator sets a password, once, within an hour. `who` makes it, who may change
        operators. Raises Usage if either is no operator, or may not."""
        token = tokens.new()
        with self._ledger.transaction() as session:
            active_operator(session, operator)
            require(roles_of(active_operator(session, who)), Act.OPERATORS, who)
            invitations.add(session, kept_of(token), operator, self._now())
            self._append(session, Invited(by=operator, who=who))
        return token

    def invited(self, token: str) -> str | None:
        """The operator whose invitation this is; None if it does not count, or does no more."""
        kept = tokens.kept(token)
        with self._ledger.reading() as session:
            return kept and self._invited(session, kept)

    def set_password(self, token: str, password: str, at: From | None = None) -> str:
        """Sets the password that an invitation is for, ends the operator's sessions, and gives the operator. Raises
        BadInput for a weak password, or an invitation that does not count."""
        operator = self.invited(token)
        if operator is None:
            raise _over()
        passwords.refuse_weak(password, operator, self._known)
        hashed = passwords.hashed(password)
        with self._ledger.transaction() as session:
            if self._invited(session, kept_of(token)) is None:  # somebody else was faster
                raise _over()
            self._set(session, operator, hashed, Way.INVITATION, at or From())
        return operator

    def change_password(self, one: Entered, password: str, new: str, at: From) -> None:
        """Sets another password in the place of this one, and ends the operator's sessions. Raises BadInput if it is
        not the operator's, or the new one is weak."""
        with self._ledger.beside() as session:
            trying = accounts.begin(session, one.operator, at.source, self._now())
        if not passwords.fits(password, trying.stored) or trying.locked or trying.stored is None:
            self.failed(one.operator, Way.PASSWORD, Failure.LOCKED if trying.locked else Failure.WRONG, at, trying.last)
            raise BadInput("PASSWORD_WRONG", "this is not your password, or it is locked for a quarter of an hour")
        passwords.refuse_weak(new, one.operator, self._known)
        hashed = passwords.hashed(new)
        with self._ledger.transaction() as session:
            if not accounts.right(session, one.operator, at.source, trying.stored, None):
                raise BadInput("PASSWORD_WRONG", "your password was set anew meanwhile")
            self._set(session, one.operator, hashed, Way.PASSWORD, at)

    def _set(self, session: Session, operator: str, hashed: str, way: Way, at: From) -> None:
        invitations.use(session, operator)
        accounts.set_password(session, operator, hashed)
        self._append(session, PasswordSet(by=operator, way=way, source=at.source or None))
        self._ended(session, operator, sessions.end_all(session, operator))

    def _invited(self, session: Session, kept: str) -> str | None:
        operator = invitations.operator_of(session, kept, self._now())
        return operator if operator and is_active(session, operator) else None


def _over() -> BadInput:
    what = "this invitation was used, is older than an hour, or is none of ours"
    return BadInput("INVITATION_OVER", what, remedy="Ask for another: sluicegate console invite NAME --key KEY")
