"""What people decide on a held batch, and the stop of all releases with its end."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import distinct, func, select

from expectations.base import signatures
from flows.ledger.barring import barred
from flows.ledger.database.models import Batch, Decided, Halt
from flows.ledger.decisions import HALT, KEYS_NEEDED, Decision, Reason, message, withdrawal_message
from flows.ledger.events.base import Event, Kind, SignedEvent, Signing, operators, wrong_home
from flows.ledger.events.operators import void
from flows.ledger.lifecycles.states import State
from flows.ledger.roles import DECIDES, Act
from flows.ledger.signing import SignedBy
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class DecisionSigned(SignedEvent, kinds=[Kind.DECISION]):
    """An operator signed a decision on the batch as it is held; or, without a batch, to go on after a halt. `home`:
    None in events of an older version; `note`: digest of what was written about the reason, which is kept sealed."""

    hold: int
    decision: Decision
    reason: Reason
    by: str
    key: str
    signature: str
    content_digest: str | None
    home: str | None = None
    note: str | None = None

    def signing(self, tables: Tables) -> Signing:
        signed = (SignedBy(self.by, self.key, self.signature),)
        name, checkpoint = tables.place.batch or "", self._checkpoint(tables)
        held = tables.batch if name else tables.find(Halt, self.hold)
        rows, voided = self.content_digest or "", held.voided if held else None
        text = message(name, self.hold, checkpoint, rows, self.decision, voided, self.home, self.note)
        return Signing(signatures.DECISION, 1, signed, operators(tables, signed, DECIDES[self.decision]), text)

    def _checkpoint(self, tables: Tables) -> str:
        return (tables.batch.checkpoint or "") if tables.place.batch else HALT

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home, named=Kind.DECISION in tables.kinds_for_home)
        if tables.place.batch:
            held = (tables.batch.hold, tables.batch.content_digest) == (self.hold, self.content_digest)
        else:
            halt = tables.find(Halt, self.hold)
            held = halt is not None and halt.resumed_at is None and self.decision is Decision.RESUME
        if not held:
            yield "nothing was held so that it could be decided on"
        elif tables.place.batch and self.by in barred(tables.session, tables.batch):
            yield f"the agreement bars {self.by} from deciding on its batches"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        place, checkpoint, rows = tables.place, self._checkpoint(tables), self.content_digest or ""
        held = {"hold": self.hold, "checkpoint": checkpoint, "content_digest": rows}
        said = {"decision": self.decision.value, "reason": self.reason.value, "operator": self.by}
        tables.add(Decided(seq=place.seq, at=place.at, batch=place.batch, **held, **said), place.seq)


@dataclass(frozen=True, kw_only=True)
class DecisionWithdrawn(SignedEvent, kinds=[Kind.TAKEN_BACK]):
    """An operator takes back what it signed in the event `withdraws`, while that waits for another. Whoever had signed
    something else on this hold signs again."""

    withdraws: int
    by: str
    key: str
    signature: str
    home: str
    note: str | None = None

    def signing(self, tables: Tables) -> Signing:
        signed = (SignedBy(self.by, self.key, self.signature),)
        text = withdrawal_message(self.withdraws, self.home, self.note)
        # whoever may look may take back what is its own, also if its roles have changed since
        return Signing(signatures.DECISION, 1, signed, operators(tables, signed, Act.VIEW), text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        made = tables.find(Decided, self.withdraws)
        if made is None or made.operator != self.by or _waits(tables, made) is None:
            yield "there is no decision of theirs that still waits for another"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        held = _waits(tables, tables.row(Decided, self.withdraws))
        if held is None:
            raise ValueError("nothing waits that could be withdrawn")
        void(tables, held)


def _waits(tables: Tables, made: Decided) -> Batch | Halt | None:
    """What a decision was made on, if it is held as it was."""
    if made.batch is None:
        halt = tables.row(Halt, made.hold)
        return halt if halt.resumed_at is None else None
    batch = tables.row(Batch, made.batch)
    return batch if batch.state == State.HELD and batch.hold == made.hold else None


def decided(tables: Tables, hold: int, decision: Decision) -> int:
    """How many different operators have signed this, as it counts now."""
    query = select(func.count(distinct(Decided.operator)))
    return tables.session.scalar(query.where(Decided.hold == hold, Decided.decision == decision.value)) or 0


@dataclass(frozen=True, kw_only=True)
class Halted(Event, kinds=[Kind.HALT]):
    """All releases are stopped."""

    by: str
    reason: Reason
    note: str | None = None

    def apply(self, tables: Tables) -> None:
        seq = tables.place.seq
        tables.add(Halt(seq=seq, at=tables.place.at, operator=self.by, reason=self.reason.value), seq)


@dataclass(frozen=True, kw_only=True)
class Resumed(Event, kinds=[Kind.RESUMED]):
    """Two operators signed that releases go on after this halt."""

    halt: int

    def wrong(self, tables: Tables) -> Iterator[str]:
        if decided(tables, self.halt, Decision.RESUME) < KEYS_NEEDED[Decision.RESUME]:
            yield f"halt {self.halt} lacks the signatures of two people"

    def apply(self, tables: Tables) -> None:
        tables.row(Halt, self.halt).resumed_at = tables.place.at
