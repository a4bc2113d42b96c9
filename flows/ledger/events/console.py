"""What happens at the door of the console, and which pages were looked at there. None of it changes a table.

What is gathered (`flows.ledger.entrance.gathered`) has a count: so often since the last such event was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.ledger.database.models import Batch, Operator, RecallCase
from flows.ledger.events.base import Event, Kind
from flows.ledger.facts import Failure, Page, Way
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
    """An operator's session began. `key`: fingerprint of the key that was shown; without one, only the password was,
    and a key is asked for next; or `issuer`, SHA-256 of the provider's name, if it was by an identity there, and how
    many `factors` the provider proved: after one a key is asked for, too; earlier versions did not count. `source`: the
    keyed hash of the address."""

    key: str | None = None
    way: Way | None = None
    source: str | None = None
    issuer: str | None = None
    factors: int | None = None


@dataclass(frozen=True, kw_only=True)
class Invited(_Entering, kinds=[Kind.INVITED]):
    """`by` may set a password, once: `who` made the link."""

    who: str


@dataclass(frozen=True, kw_only=True)
class PasswordSet(_Entering, kinds=[Kind.PASSWORD_SET]):
    """An operator has a new password: by an invitation, or with the one before (`way`)."""

    way: Way | None = None
    source: str | None = None


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
    """Tries that let nobody in, for an operator, or for nobody that is known: such names are not kept. `source`: from
    where; None if from too many places to name each."""

    count: int
    by: str | None = None
    way: Way | None = None
    why: Failure | None = None
    source: str | None = None

    def wrong(self, tables: Tables) -> Iterator[str]:
        if self.by is not None and tables.find(Operator, self.by) is None:
            yield f"{self.by} is no operator"


@dataclass(frozen=True, kw_only=True)
class Locked(_Of, kinds=[Kind.LOCKED]):
    """So many wrong passwords in a row that none is taken for a while: from this place."""

    count: int
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class SignedOut(_Of, kinds=[Kind.SIGNED_OUT]):
    """An operator ended a session of their own."""


@dataclass(frozen=True, kw_only=True)
class SessionEnded(_Of, kinds=[Kind.SESSION_ENDED]):
    """So many sessions of an operator ended otherwise: one or all by hand, by their limits, by a new password, or with
    the operator. `who`: the approver, if one ended them."""

    count: int
    who: str | None = None


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
