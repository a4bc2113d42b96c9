"""What happens on the desk where a change waits for two signatures. None of it changes a table: what is carried out has
an event of its own, with both signatures."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.ledger.database.models import Operator, OperatorKey
from flows.ledger.events.base import Event, Kind
from flows.ledger.proposed import ACT, Proposed, may_propose
from flows.ledger.roles import Role, may
from flows.ledger.signing import roles_of
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class _OnTheDesk(Event):
    """`change`: which; `subject`: the id of the instrument or operator; `digest`: of the text that two sign."""

    by: str
    change: Proposed
    subject: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class ChangeProposed(_OnTheDesk, kinds=[Kind.PROPOSED]):
    """An operator proposed a change: its number is that of this event."""

    def wrong(self, tables: Tables) -> Iterator[str]:
        if not may_propose(_roles(tables, self.by), self.change, self.subject, self.by):
            yield f"{self.by} could not propose this then"


@dataclass(frozen=True, kw_only=True)
class ProposalSigned(_OnTheDesk, kinds=[Kind.PROPOSAL_SIGNED]):
    """An operator signed a proposal. `key`: fingerprint of the key."""

    number: int
    key: str

    def wrong(self, tables: Tables) -> Iterator[str]:
        key = tables.find(OperatorKey, self.key)
        had = key is not None and key.operator == self.by and key.removed_at is None
        if not had or not may(_roles(tables, self.by), ACT[self.change]):
            yield f"{self.by} could not sign this then with that key"


@dataclass(frozen=True, kw_only=True)
class ProposalUndone(_OnTheDesk, kinds=[Kind.PROPOSAL_UNDONE]):
    """Who had proposed it withdrew the proposal, `whole`; or who had signed it took the signature back."""

    number: int
    whole: bool

    def wrong(self, tables: Tables) -> Iterator[str]:
        if tables.find(Operator, self.by) is None:
            yield f"{self.by} is no operator"


def _roles(tables: Tables, name: str) -> tuple[Role, ...]:
    """The roles that somebody has then; none of who is no operator."""
    found = tables.find(Operator, name)
    return () if found is None or found.revoked_at is not None else roles_of(found)
