"""Recipients are told that records which they have were corrected: 5 USC 552a(c)(4)."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.ledger.database.models import Batch, Operator, SealKind
from flows.ledger.events.base import Event, Kind
from flows.ledger.events.seals import sealed_as
from flows.ledger.lifecycles.states import State
from flows.ledger.roles import Act, may
from flows.ledger.signing import roles_of
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Corrected(Event, kinds=[Kind.CORRECTED]):
    """A notice lies in the outbox, of so many disclosures (`rows`) of each batch.

    `affected`: digest of the sealed list of them; `package`: digest of the notice; `by`: the operator who sent it.
    """

    notice: str
    requester: str
    agreement: str
    batches: tuple[str, ...]
    rows: tuple[int, ...]
    affected: str
    package: str
    by: str | None = None

    def wrong(self, tables: Tables) -> Iterator[str]:
        if len(self.rows) != len(self.batches):
            yield f"notice {self.notice} does not say how many disclosures of each batch"
        for name in self.batches:
            batch = tables.row(Batch, name)
            if batch.state != State.PUBLISHED or (batch.requester, batch.agreement) != (self.requester, self.agreement):
                yield f"nothing of batch {name} was disclosed to whom notice {self.notice} tells of its correction"
        if self.by is not None:
            operator = tables.find(Operator, self.by)
            if operator is None or operator.revoked_at is not None or not may(roles_of(operator), Act.RECALL):
                yield f"{self.by} could not send notice {self.notice} there"

    def apply(self, tables: Tables) -> None:
        sealed_as(tables, SealKind.CORRECTION, self.notice, self.affected)
