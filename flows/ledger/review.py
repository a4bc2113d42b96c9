"""What people decide: signed decisions on held batches, and the stop of all releases with its resumption."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.errors import BadInput, Usage
from flows.ledger import facts
from flows.ledger.barring import able, barred
from flows.ledger.core import BatchRecord, Core, find, home_id, record
from flows.ledger.database.models import Batch, Decided, Halt, Time, as_record
from flows.ledger.decisions import (
    KEYS_NEEDED,
    Decision,
    Reason,
    allowed,
    message,
    resume_message,
    withdrawal_message,
)
from flows.ledger.events.moves import Moved
from flows.ledger.events.review import DecisionSigned, DecisionWithdrawn, Halted, Resumed
from flows.ledger.lifecycles.states import Cause, Checkpoint, State
from flows.ledger.operators import active_operator
from flows.ledger.roles import DECIDES, Act, Barred, require
from flows.ledger.signing import ANOTHER, roles_of, signing_operator


@dataclass(frozen=True)
class DecisionRecord:
    """One signed decision. `seq`: the event; `granted`: enough keys signed the same for it to count."""

    seq: int
    at: Time
    hold: int
    checkpoint: str
    content_digest: str
    decision: Decision
    reason: Reason
    operator: str
    granted: bool


@dataclass(frozen=True)
class HaltRecord:
    """A stop of all releases that still stands. `seq` names it; `voided`: part of what is signed to resume."""

    seq: int
    at: Time
    operator: str
    reason: Reason
    voided: int | None


class Review(Core):
    """Decisions and halts."""

    def decision_message(self, batch: str, decision: Decision, note: str | None = None) -> bytes:
        """What to sign (namespace signatures.DECISION) for this decision on the batch as it is held now. `note`: digest
        of what is written about the reason (`flows.evidence.notes`), if anything is."""
        with self.reading() as session:
            return _message(_held(find(session, batch)), decision, home_id(session), note)

    def allowed_decisions(self, batch: str) -> frozenset[Decision]:
        """The decisions open on this batch; none unless it is held."""
        with self.reading() as session:
            return _open(record(find(session, batch)))

    def deciders(self, batch: str) -> dict[Decision, tuple[str, ...]]:
        """Who may sign each decision that is open on this batch, where its agreement bars anybody; else nothing."""
        with self.reading() as session:
            return self.deciders_of([find(session, batch).name])[batch]

    def deciders_of(self, batches: Iterable[str]) -> dict[str, dict[Decision, tuple[str, ...]]]:
        """The same of each of these. What many rest on alike is read once."""
        found: dict[str, dict[Decision, tuple[str, ...]]] = {}
        kept_out: dict[tuple[object, ...], frozenset[str]] = {}
        with self.reading() as session:
            who = cache(lambda act, but: able(session, act, but))
            for entry in session.scalars(select(Batch).where(Batch.name.in_(list(batches)))):
                alike = entry.agreement, entry.instruments, entry.decided_on, entry.received_by
                if alike not in kept_out:
                    kept_out[alike] = barred(session, entry)
                out = kept_out[alike]
                found[entry.name] = {one: who(DECIDES[one], out) for one in sorted(_open(record(entry)) if out else ())}
        return found

    def decide(
        self,
        batch: str,
        checkpoint: Checkpoint,
        content_digest: str,
        decision: Decision,
        reason: Reason,
        key_line: str,
        signature: str,
        note: str | None = None,
    ) -> State:
        """Takes a signed decision; gives the state of the batch after it: `held` while a second key is still needed.

        Raises Usage if the batch is not held at this checkpoint with this content digest (a stale decision), or if the
        table does not allow it; Barred if the agreement does not let this operator decide; BadInput if the signature is
        not an enrolled operator's over exactly this, or was used.
        """
        with self.transaction() as session:
            entry = _held(find(session, batch))
            if entry.checkpoint != checkpoint or entry.content_digest != content_digest:
                what = "the batch is held at another checkpoint, or with other rows, than was decided on"
                remedy = "Look again with sluicegate review show."
                raise Usage("STALE_DECISION", what, where=batch, remedy=remedy)
            open_to_people = allowed(checkpoint, record(entry).codes)
            if decision not in open_to_people:
                what = "this decision is not open on a batch held for these codes"
                remedy = f"Open: {', '.join(sorted(open_to_people)) or 'none'}."
                raise Usage("NOT_ALLOWED", what, where=batch, remedy=remedy)
            if self._sign(session, entry, decision, reason, key_line, signature, note):
                to = State.REJECTED if decision is Decision.REJECT else State(entry.resumes or "")
                more = {"checkpoint": entry.checkpoint, "content_digest": entry.content_digest}
                self.move(session, entry, Moved(start=State.HELD, to=to, decision=decision, more=more), Cause.DECIDED)
            return State(entry.state)

    def _sign(
        self,
        session: Session,
        on: Batch | Halt,
        decision: Decision,
        reason: Reason,
        key_line: str,
        signature: str,
        note: str | None,
    ) -> bool:
        """Records a signature with its event; True if enough different people have now signed the same."""
        entry, hold = (on, on.hold or 0) if isinstance(on, Batch) else (None, on.seq)
        home, note = home_id(session), note and facts.digest(note, "note")
        text = _message(entry, decision, home, note) if entry else resume_message(hold, on.voided, home, note)
        given = signing_operator(session, text, key_line, signature, signatures.DECISION, DECIDES[decision])
        if entry and given.signer in barred(session, entry):
            raise Barred(given.signer, DECIDES[decision])
        same = select(Decided.operator).where(Decided.hold == hold, Decided.decision == decision.value)
        before = list(session.scalars(same))
        if given.signer in before:
            raise BadInput("DECIDED_ALREADY", "this operator has signed this decision already", remedy=ANOTHER)
        rows, by = entry.content_digest if entry else None, vars(given.named)
        which, why = Decision(decision), Reason(reason)
        event = DecisionSigned(hold=hold, decision=which, reason=why, content_digest=rows, home=home, note=note, **by)
        self.append(session, entry, event, given.contents)
        return len(before) + 1 >= KEYS_NEEDED[decision]

    def waiting_decision(self, batch: str, operator: str) -> int:
        """The event of the newest decision of this operator on the batch as it is held; raises Usage if none is."""
        with self.reading() as session:
            hold = find(session, batch).hold
        mine = [d.seq for d in self.decisions(batch) if (d.hold, d.operator) == (hold, operator)]
        if not mine:
            raise _nothing()
        return mine[-1]

    def withdrawal_message(self, signed: int, note: str | None = None) -> bytes:
        """What to sign (namespace signatures.DECISION) to take back the decision that event `signed` told of."""
        with self.reading() as session:
            return withdrawal_message(signed, home_id(session), note)

    def withdraw(self, signed: int, key_line: str, signature: str, note: str | None = None) -> None:
        """Takes back a decision of one's own, while it waits for another operator. Whatever else was signed on this
        hold counts no more either.

        Raises Usage if no decision of this operator waits there, BadInput if the signature does not count.
        """
        with self.transaction() as session:
            home, note = home_id(session), note and facts.digest(note, "note")
            text = withdrawal_message(signed, home, note)
            given = signing_operator(session, text, key_line, signature, signatures.DECISION, Act.VIEW)
            made = session.get(Decided, signed)
            batch = session.get(Batch, made.batch) if made and made.batch else None
            waits = made is not None and (
                batch.state == State.HELD and batch.hold == made.hold if batch else _stands(session, made.hold)
            )
            if made is None or not waits or made.operator != given.signer:
                raise _nothing()
            event = DecisionWithdrawn(withdraws=signed, home=home, note=note, **vars(given.named))
            self.append(session, batch, event, given.contents)

    def decisions(self, batch: str) -> list[DecisionRecord]:
        """The signed decisions on a batch, oldest first."""
        with self.reading() as session:
            found = list(session.scalars(select(Decided).where(Decided.batch == batch).order_by(Decided.seq)))
        keys = Counter((s.hold, s.decision) for s in found)  # an operator signs each once
        return [
            as_record(DecisionRecord, s, granted=keys[s.hold, s.decision] >= KEYS_NEEDED[Decision(s.decision)])
            for s in found
        ]

    def granted(self, batch: str, checkpoint: Checkpoint, content_digest: str, decision: Decision) -> bool:
        """Whether enough people signed this decision on exactly these rows at this checkpoint."""
        return any(
            d.granted and (d.checkpoint, d.content_digest, d.decision) == (checkpoint, content_digest, decision)
            for d in self.decisions(batch)
        )

    def halt(self, operator: str, reason: Reason, note: str | None = None) -> int:
        """Stops all releases, at once and unsigned, since stopping is always safe; gives the number of the halt.

        When it returns, no publication is under way, and none begins until two operators resume.
        """
        with self.transaction() as session:
            require(roles_of(active_operator(session, operator)), Act.HALT, operator)
            # stopping must not wait for a clock that is wrong: then the halt has the newest event's time
            event = Halted(by=operator, reason=Reason(reason), note=note and facts.digest(note, "note"))
            return self.append(session, None, event, at=self.stamp_or_newest(session))

    def halts(self) -> list[HaltRecord]:
        """The halts that stand, oldest first."""
        with self.reading() as session:
            return [as_record(HaltRecord, row) for row in standing_halts(session)]

    def halt_message(self, halt: int, note: str | None = None) -> bytes:
        """What to sign (namespace signatures.DECISION) to resume after this halt; raises Usage if it does not stand."""
        with self.reading() as session:
            return resume_message(halt, _halt(session, halt).voided, home_id(session), note)

    def resume(self, halt: int, reason: Reason, key_line: str, signature: str, note: str | None = None) -> bool:
        """Takes one signature over `halt_message`; True once two operators have signed: the halt is lifted."""
        with self.transaction() as session:
            if not self._sign(session, _halt(session, halt), Decision.RESUME, reason, key_line, signature, note):
                return False
            self.append(session, None, Resumed(halt=halt))
            return True


def _nothing() -> Usage:
    what = "no decision of this operator waits for another's signature there"
    return Usage("NOTHING_TO_WITHDRAW", what, remedy="See sluicegate review show.")


def _halt(session: Session, halt: int) -> Halt:
    if not _stands(session, halt):
        raise Usage("NO_SUCH_HALT", "no halt of this number stands", remedy="See sluicegate status.")
    return session.get_one(Halt, halt)


def _stands(session: Session, halt: int) -> bool:
    found = session.get(Halt, halt)
    return found is not None and found.resumed_at is None


def standing_halts(session: Session) -> list[Halt]:
    """The halts that stand."""
    return list(session.scalars(select(Halt).where(Halt.resumed_at.is_(None)).order_by(Halt.seq)))


def _open(now: BatchRecord) -> frozenset[Decision]:
    return allowed(now.checkpoint, now.codes) if now.state is State.HELD and now.checkpoint else frozenset()


def _held(entry: Batch) -> Batch:
    if entry.state != State.HELD:
        raise Usage("NOT_HELD", f"the batch is {entry.state}: there is nothing to decide", where=entry.name)
    return entry


def _message(entry: Batch, decision: Decision, home: str, note: str | None) -> bytes:
    held = (entry.name, entry.hold or 0, entry.checkpoint or "", entry.content_digest or "")
    return message(*held, Decision(decision), entry.voided, home, note)
