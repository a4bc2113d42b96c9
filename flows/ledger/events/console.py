"""What happens at the door of the console, and which pages were looked at there. None of it changes a table.

What is gathered (`flows.ledger.entrance.gathered`) has a count: so often since the last such event was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.ledger.database.models import Batch, Operator, RecallCase
from flows.ledger.events.base import Event, Kind
from flows.ledger.facts import Page
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class _Of(Event):
    """Something that an operator did, or that was done to one."""

    by: str

    def wrong(self, tables: Tables) -> Iterator[str]:
        if tables.find(Operator, self.by) is None:
            yield f"{self.by} is no operator"


@dataclass(frozen=True, kw_only=True)
class _Entering(_Of):
    """What only somebody can do who is an operator at that moment."""

    def wrong(self, tables: Tables) -> Iterator[str]:
        found = tables.find(Operator, self.by)
        if found is None or found.revoked_at is not None:
            yield f"{self.by} was no operator then"


@dataclass(frozen=True, kw_only=True)
class SignedIn(_Entering, kinds=[Kind.SIGNED_IN]):
    """An operator's session began. `key`: fingerprint of the passkey, if it was by one; `issuer`: SHA-256 of the
    provider's name, if it was by an identity there."""

    key: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, kw_only=True)
class Invited(_Entering, kinds=[Kind.INVITED]):
    """`by` may set a password, once: `who` made the link."""

    who: str


@dataclass(frozen=True, kw_only=True)
class PasswordSet(_Entering, kinds=[Kind.PASSWORD_SET]):
    """An operator has a new password, by an invitation."""


@dataclass(frozen=True, kw_only=True)
class IdentityBound(_Entering, kinds=[Kind.IDENTITY_BOUND]):
    """An operator comes in by an identity at a provider from now on, by an invitation. `issuer`: as of `SignedIn`."""

    issuer: str


@dataclass(frozen=True, kw_only=True)
class IdentityUnbound(_Of, kinds=[Kind.IDENTITY_UNBOUND]):
    """`who` took the identity at a provider away from an operator."""

    who: str
    issuer: str


@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event, kinds=[Kind.SIGN_IN_FAILED]):
    """Wrong passwords for an operator; or for names that are no operator's, passkeys and identities that are nobody's:
    those are not kept."""

    count: int
    by: str | None = None

    def wrong(self, tables: Tables) -> Iterator[str]:
        if self.by is not None and tables.find(Operator, self.by) is None:
            yield f"{self.by} is no operator"


@dataclass(frozen=True, kw_only=True)
class Locked(_Of, kinds=[Kind.LOCKED]):
    """So many wrong passwords in a row that none is taken for a while."""

    count: int


@dataclass(frozen=True, kw_only=True)
class SignedOut(_Of, kinds=[Kind.SIGNED_OUT]):
    """An operator ended a session of their own."""


@dataclass(frozen=True, kw_only=True)
class SessionEnded(_Of, kinds=[Kind.SESSION_ENDED]):
    """So many sessions of an operator ended otherwise: all at once, by their limits, by a new password, or with the
    operator."""

    count: int


@dataclass(frozen=True, kw_only=True)
class Pages(_Of, kinds=[Kind.PAGES]):
    """An operator looked at pages of one kind, that hold ids, counts and codes only."""

    page: Page
    count: int
    batch: str | None = None
    case: str | None = None

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        if self.batch is not None and tables.find(Batch, self.batch) is None:
            yield "the batch that was looked at is unknown"
        if self.case is not None and tables.find(RecallCase, self.case) is None:
            yield "the recall case that was looked at is unknown"
