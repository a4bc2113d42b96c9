"""What people decide: signed decisions on held batches, and the stop of all releases with its resumption."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.digests import of_bytes
from expectations.errors import BadInput, Usage
from flows.ledger.core import Core, find, record
from flows.ledger.decisions import KEYS_NEEDED, Decision, Reason, allowed, message
from flows.ledger.keys import fingerprint, signing_operator
from flows.ledger.models import Batch, Halt, Signed
from flows.ledger.registry import active_operator
from flows.ledger.states import Cause, Checkpoint, State

HALT = "halt"  # stands where a batch's checkpoint would, in what is signed to resume


@dataclass(frozen=True)
class DecisionRecord:
    """One signed decision. `granted`: enough keys signed the same for it to count."""

    at: datetime
    hold: int
    checkpoint: str
    content_digest: str
    decision: Decision
    reason: Reason
    operator: str
    granted: bool


@dataclass(frozen=True)
class HaltRecord:
    """A stop of all releases that still stands. `seq` names it."""

    seq: int
    at: datetime
    operator: str
    reason: Reason


class Review(Core):
    """Decisions and halts."""

    def decision_message(self, batch: str, decision: Decision) -> bytes:
        """What to sign (namespace signatures.DECISION) for this decision on the batch as it is held now."""
        with self.reading() as session:
            entry = _held(find(session, batch))
            return _message(entry, decision)

    def allowed_decisions(self, batch: str) -> frozenset[Decision]:
        """The decisions open on this batch; none unless it is held."""
        with self.reading() as session:
            now = record(find(session, batch))
        return allowed(now.checkpoint, now.codes) if now.state is State.HELD and now.checkpoint else frozenset()

    def decide(
        self, batch: str, checkpoint: Checkpoint, content_digest: str, decision: Decision, reason: Reason,
        key_line: str, signature: str,
    ) -> State:  # fmt: skip
        """Takes a signed decision; gives the state of the batch after it: `held` while a second key is still needed.

        Raises Usage if the batch is not held at this checkpoint with this content digest (a stale decision), or if the
        table does not allow it; BadInput if the signature is not an enrolled operator's over exactly this, or was used.
        """
        with self.transaction() as session:
            entry = _held(find(session, batch))
            if entry.checkpoint != checkpoint or entry.content_digest != content_digest:
                raise Usage("STALE_DECISION", "the batch is held at another checkpoint, or with other rows, than was decided on",
                            where=batch, remedy="Look again with sluicegate review show.")  # fmt: skip
            open_to_people = allowed(checkpoint, record(entry).codes)
            if decision not in open_to_people:
                raise Usage("NOT_ALLOWED", "this decision is not open on a batch held for these codes", where=batch,
                            remedy=f"Open: {', '.join(sorted(open_to_people)) or 'none'}.")  # fmt: skip
            signed = Signed(batch=batch, hold=entry.hold, checkpoint=checkpoint.value, content_digest=content_digest,
                            decision=decision.value, reason=Reason(reason).value, signature=signature)  # fmt: skip
            if self._sign(session, entry, signed, _message(entry, decision), key_line):
                self._carry_out(session, entry, decision)
            return State(entry.state)

    def _carry_out(self, session: Session, entry: Batch, decision: Decision) -> None:
        to = State.REJECTED if decision is Decision.REJECT else State(entry.resumes or "")
        said = {"decision": decision.value, "checkpoint": entry.checkpoint, "content_digest": entry.content_digest}
        self.move(session, entry, to, Cause.DECIDED, said)
        entry.hold = entry.resumes = None

    def _sign(self, session: Session, entry: Batch | None, signed: Signed, said: bytes, key_line: str) -> bool:
        """Records a signature with its event; True if enough different people have now signed the same."""
        operator = signing_operator(session, said, key_line, signed.signature)
        same = _alike(session, signed)
        if any(s.operator == operator.name for s in same):
            raise BadInput("DECIDED_ALREADY", "this operator has signed this decision already",
                           remedy="A second, different operator must sign.")  # fmt: skip
        signed.at, signed.operator, signed.key_line = self.now(), operator.name, operator.key_line
        session.add(signed)
        self.append(session, entry, "decision", {
            "hold": signed.hold, "decision": signed.decision, "reason": signed.reason, "by": operator.name,
            "key": fingerprint(operator.key_line), "signature": of_bytes(signed.signature.encode()),
            "content_digest": signed.content_digest or None,
        })  # fmt: skip
        return len(same) + 1 >= KEYS_NEEDED[Decision(signed.decision)]

    def decisions(self, batch: str) -> list[DecisionRecord]:
        """The signed decisions on a batch, oldest first."""
        with self.reading() as session:
            found = list(session.scalars(select(Signed).where(Signed.batch == batch).order_by(Signed.id)))
            return [
                DecisionRecord(
                    datetime.fromisoformat(s.at), s.hold, s.checkpoint, s.content_digest, Decision(s.decision),
                    Reason(s.reason), s.operator, _count(found, s) >= KEYS_NEEDED[Decision(s.decision)],
                )
                for s in found
            ]  # fmt: skip

    def granted(self, batch: str, checkpoint: Checkpoint, content_digest: str, decision: Decision) -> bool:
        """Whether enough people signed this decision on exactly these rows at this checkpoint."""
        return any(
            d.granted and (d.checkpoint, d.content_digest, d.decision) == (checkpoint, content_digest, decision)
            for d in self.decisions(batch)
        )

    def halt(self, operator: str, reason: Reason) -> int:
        """Stops all releases, at once and unsigned, since stopping is always safe; gives the number of the halt.

        When it returns, no publication is under way, and none begins until two operators resume.
        """
        with self.transaction() as session:
            active_operator(session, operator)
            seq = self.append(session, None, HALT, {"by": operator, "reason": Reason(reason).value})
            session.add(Halt(seq=seq, at=self.now(), operator=operator, reason=Reason(reason).value))
            return seq

    def halts(self) -> list[HaltRecord]:
        """The halts that stand, oldest first."""
        with self.reading() as session:
            return [
                HaltRecord(h.seq, datetime.fromisoformat(h.at), h.operator, Reason(h.reason))
                for h in standing_halts(session)
            ]

    def halted(self) -> bool:
        """Whether releases are stopped."""
        return bool(self.halts())

    def resume(self, halt: int, reason: Reason, key_line: str, signature: str) -> bool:
        """Takes one signature over `resume_message(halt)`; True once two operators have signed and the halt is lifted."""
        with self.transaction() as session:
            stop = session.get(Halt, halt)
            if stop is None or stop.resumed_at is not None:
                raise Usage("NO_SUCH_HALT", "no halt of this number stands", remedy="See sluicegate status.")
            signed = Signed(batch=None, hold=halt, checkpoint=HALT, content_digest="", decision=Decision.RESUME.value,
                            reason=Reason(reason).value, signature=signature)  # fmt: skip
            if not self._sign(session, None, signed, resume_message(halt), key_line):
                return False
            stop.resumed_at = self.now()
            self.append(session, None, "resumed", {"halt": halt})
            return True


def resume_message(halt: int) -> bytes:
    """What to sign (namespace signatures.DECISION) to resume after the halt of this number."""
    return message("", halt, HALT, "", Decision.RESUME)


def standing_halts(session: Session) -> list[Halt]:
    """The halts that stand."""
    return list(session.scalars(select(Halt).where(Halt.resumed_at.is_(None)).order_by(Halt.seq)))


def _held(entry: Batch) -> Batch:
    if entry.state != State.HELD:
        raise Usage("NOT_HELD", f"the batch is {entry.state}: there is nothing to decide", where=entry.name)
    return entry


def _message(entry: Batch, decision: Decision) -> bytes:
    return message(entry.name, entry.hold or 0, entry.checkpoint or "", entry.content_digest or "", Decision(decision))


def _alike(session: Session, signed: Signed) -> list[Signed]:
    with session.no_autoflush:
        return list(session.scalars(
            select(Signed).where(Signed.hold == signed.hold, Signed.decision == signed.decision)
        ))  # fmt: skip


def _count(found: list[Signed], like: Signed) -> int:
    return len({s.operator for s in found if (s.hold, s.decision) == (like.hold, like.decision)})
