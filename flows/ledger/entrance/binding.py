"""Identities at a provider: bound to an operator by an invitation, they bring that operator in, until taken away."""

from expectations.base.errors import Usage
from flows.ledger.entrance import identities, invitations, sessions, tokens
from flows.ledger.entrance.door import From, is_active
from flows.ledger.entrance.setting import Setting
from flows.ledger.events.console import IdentityBound, IdentityUnbound
from flows.ledger.facts import Failure, Way
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of


class Binding(Setting):
    """What a provider has proven. `both`: that it took two factors, too; else its session opens nothing until a key is
    shown, as after a password."""

    def by_identity(self, issuer: str, subject: str, at: From | None = None, both: bool = False) -> str | None:
        """The token of a new session, for the operator whose identity a provider has proven; None if it is nobody's."""
        at = at or From()
        with self._ledger.transaction() as session:
            operator = identities.operator_of(session, issuer, subject)
            if operator and is_active(session, operator):
                of = identities.issuer_digest(issuer)
                return self._opened(session, operator, at, Way.PROVIDER, issuer=of, both=both)
        self.failed(None, Way.PROVIDER, Failure.WRONG, at)
        return None

    def bind(self, token: str, issuer: str, subject: str, at: From | None = None, both: bool = False) -> str | None:
        """Binds an identity that a provider has proven to the operator whose invitation this is, ends the operator's
        sessions, and gives the token of a new one; None if the invitation does not count, or the identity is another
        operator's."""
        at = at or From()
        with self._ledger.transaction() as session:
            kept = tokens.kept(token)
            operator = kept and self._invited(session, kept)
            if operator and identities.bind(session, operator, issuer, subject, self._now()):
                invitations.use(session, operator)
                of = identities.issuer_digest(issuer)
                self._append(session, IdentityBound(by=operator, issuer=of))
                self._ended(session, operator, sessions.end_all(session, operator))
                return self._opened(session, operator, at, Way.PROVIDER, issuer=of, both=both)
        self.failed(None, Way.PROVIDER, Failure.WRONG, at)
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
