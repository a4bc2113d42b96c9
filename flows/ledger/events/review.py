"""What people decide on a held batch, and the stop of all releases with its end."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from expectations.base import signatures
from flows.ledger.database.models import Decided, Halt, Signature
from flows.ledger.decisions import HALT, KEYS_NEEDED, Decision, Reason, message, resume_message
from flows.ledger.events.base import Event, Kind, SignedEvent, Signing, operators
from flows.ledger.signing import SignedBy
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class DecisionSigned(SignedEvent, kinds=[Kind.DECISION]):
    """An operator signed a decision on the batch as it is held; or, without a batch, to go on after a halt."""

    hold: int
    decision: Decision
    reason: Reason
    by: str
    key: str
    signature: str
    content_digest: str | None

    def signing(self, tables: Tables) -> Signing:
        signed = (SignedBy(self.by, self.key, self.signature),)
        name, checkpoint = tables.place.batch or "", self._checkpoint(tables)
        text = message(name, self.hold, checkpoint, self.content_digest or "", self.decision)
        return Signing(signatures.DECISION, 1, signed, operators(tables, signed), text)

    def _checkpoint(self, tables: Tables) -> str:
        return (tables.batch.checkpoint or "") if tables.place.batch else HALT

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        if tables.place.batch:
            held = (tables.batch.hold, tables.batch.content_digest) == (self.hold, self.content_digest)
        else:
            halt = tables.find(Halt, self.hold)
            held = halt is not None and halt.resumed_at is None and self.decision is Decision.RESUME
        if not held:
            yield "nothing was held so that it could be decided on"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        place, checkpoint, rows = tables.place, self._checkpoint(tables), self.content_digest or ""
        held = {"hold": self.hold, "checkpoint": checkpoint, "content_digest": rows}
        said = {"decision": self.decision.value, "reason": self.reason.value, "operator": self.by}
        tables.add(Decided(seq=place.seq, at=place.at, batch=place.batch, **held, **said), place.seq)


@dataclass(frozen=True, kw_only=True)
class Halted(Event, kinds=[Kind.HALT]):
    """All releases are stopped."""

    by: str
    reason: Reason

    def apply(self, tables: Tables) -> None:
        seq = tables.place.seq
        tables.add(Halt(seq=seq, at=tables.place.at, operator=self.by, reason=self.reason.value), seq)


@dataclass(frozen=True, kw_only=True)
class Resumed(Event, kinds=[Kind.RESUMED]):
    """Two operators signed that releases go on after this halt."""

    halt: int

    def wrong(self, tables: Tables) -> Iterator[str]:
        query = select(func.count()).select_from(Signature)
        query = query.where(Signature.seq > self.halt, Signature.text == resume_message(self.halt))
        if (tables.session.scalar(query) or 0) < KEYS_NEEDED[Decision.RESUME]:
            yield f"halt {self.halt} lacks the signatures of two people"

    def apply(self, tables: Tables) -> None:
        tables.row(Halt, self.halt).resumed_at = tables.place.at
