"""Batches in the ledger: taken in once, then moved from state to state with their events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import or_, select

from expectations.base.errors import Fault
from expectations.facts import band
from expectations.facts.letter import Earlier
from flows.ledger import facts
from flows.ledger.core import BatchRecord, Core, find, record
from flows.ledger.database.models import Batch, Event
from flows.ledger.events.moves import Expired, Held, Moved, Received, Refused
from flows.ledger.lifecycles.states import RUNS_IN, TRANSITIONS, Cause, Checkpoint, State
from flows.ledger.times import stamp, to_us

# The steps that `advance` may take; the others have methods of their own, which ask for more.
_PLAIN = frozenset({Cause.PASSED, Cause.UNREADABLE, Cause.FAILED, Cause.RETRIED, Cause.RESEALED})


class Batches(Core):
    """The life of each batch up to its publication."""

    def receive(
        self,
        batch: str,
        *,
        submission: str,
        requester: str,
        agreement: str,
        received_at: datetime,
        decided_on: date,
        instruments: Mapping[str, str],
        register: str,
        rows: int,
    ) -> bool:
        """Takes a submission in, once: False if this batch or this submission is known, whose row then stays as it is.

        submission   digest of the submission; requester, agreement: their ids, `unknown` where the letter cannot be
        read
        instruments  id to digest of all that the decision rests on; register: id or digest of its prepared version
        rows         as the letter says
        """
        under = tuple(
            (facts.name(k, "instruments"), facts.digest(v, "instruments")) for k, v in sorted(instruments.items())
        )
        event = Received(
            submission=facts.digest(submission, "submission"),
            requester=facts.name(requester, "requester"),
            agreement=facts.name(agreement, "agreement"),
            register=facts.name(register, "register"),
            rows=rows,
            decided_on=int(f"{decided_on:%Y%m%d}"),
            instruments=tuple(sorted(instruments.values())),
            under=under,
            received_us=to_us(received_at),
        )
        with self.transaction() as session:
            if session.scalar(select(Batch.name).where(or_(Batch.name == batch, Batch.submission == submission))):
                return False
            ids = {requester, agreement, register, *instruments}
            self.append(session, facts.name(batch, "batch"), event, also=ids)
        return True

    def batch(self, name: str) -> BatchRecord | None:
        """The batch called `name`, or None."""
        with self.reading() as session:
            found = session.get(Batch, name)
            return record(found) if found else None

    def known_batch(self, name: str) -> BatchRecord:
        """The batch called `name`; raises Usage if there is none."""
        with self.reading() as session:
            return record(find(session, name))

    def batches(self, state: State | None = None) -> list[BatchRecord]:
        """All batches, or those in one state, oldest first."""
        query = select(Batch).order_by(Batch.received_at, Batch.name)
        with self.reading() as session:
            return [record(b) for b in session.scalars(query if state is None else query.where(Batch.state == state))]

    def events(self, batch: str | None = None) -> list[dict[str, Any]]:
        """The events of one batch, or all: seq, at, batch, kind, facts."""
        query = select(Event).order_by(Event.seq)
        with self.reading() as session:
            found = session.scalars(query if batch is None else query.where(Event.batch == batch))
            return [
                {"seq": e.seq, "at": e.at, "batch": e.batch, "kind": e.kind, "facts": json.loads(e.facts)}
                for e in found
            ]

    def passed_intake(self, requester: str, agreement: str, since: datetime) -> Earlier:
        """The rows that passed `intake` for this requester and agreement since then, and how many of them were
        incomplete."""
        query = (
            select(Event.facts)
            .join(Batch, Batch.name == Event.batch)
            .where(Batch.requester == requester, Batch.agreement == agreement)
            .where(Event.kind == State.INGESTED.value, Event.at >= stamp(since))
        )
        with self.reading() as session:
            found = [json.loads(text) for text in session.scalars(query)]
        return Earlier(sum(f.get("rows_submitted", 0) for f in found), sum(f.get("incomplete_rows", 0) for f in found))

    def match_rates(self, requester: str, agreement: str, newest: int = band.NEWEST) -> list[tuple[int, int]]:
        """(rows looked up, matched) of the published batches of this requester and agreement, the newest `newest`,
        newest first. Batches of an older version, which did not say, are left out."""
        query = (
            select(Event.facts)
            .join(Batch, Batch.name == Event.batch)
            .where(Batch.requester == requester, Batch.agreement == agreement, Batch.state == State.PUBLISHED.value)
            .where(Event.kind == State.MATCHED.value)
            .order_by(Event.seq.desc())
        )
        with self.reading() as session:
            # a batch becomes `matched` again when it goes on after a hold or a fault: that event counts nothing
            counted = (f for f in map(json.loads, session.scalars(query)) if "looked_up" in f)
            return [(f["looked_up"], f["matched"]) for f in islice(counted, newest)]

    def advance(self, batch: str, to: State, *, facts: Mapping[str, Any] | None = None) -> BatchRecord:
        """Moves a batch on after a checkpoint, a fault, or the end of a fault. `facts`: counts, codes, digests, known
        ids.

        To go on after a fault, advance to the record's `resumes`. To hold, refuse, decide or publish: see those
        methods. Raises Fault if the state does not allow it, or if a fact may be a value.
        """
        with self.transaction() as session:
            entry = find(session, batch)
            start, cause = State(entry.state), TRANSITIONS.get((State(entry.state), to))
            if cause not in _PLAIN or start is State.PREPARED:
                raise Fault(
                    "NO_SUCH_STEP",
                    f"a batch that is {start} does not simply become {to}",
                    remedy="Look at its state with sluicegate status; another run may have moved it on.",
                )
            if cause is Cause.RETRIED and to.value != entry.resumes:
                raise Fault("NO_SUCH_STEP", f"a batch that failed goes on from where it was, not from {to}")
            self.move(session, entry, Moved(start=start, to=to, more=dict(facts or {})), cause)
            return record(entry)

    def hold(
        self,
        batch: str,
        checkpoint: Checkpoint,
        content_digest: str,
        codes: Iterable[str],
        facts: Mapping[str, Any] | None = None,
    ) -> BatchRecord:
        """A checkpoint held this batch, whose committed rows have this content digest. No codes: it was not
        evaluated."""
        with self.transaction() as session:
            entry = find(session, batch)
            start, why = State(entry.state), tuple(sorted(set(codes)))
            if RUNS_IN[checkpoint] is not start:
                raise Fault("NO_SUCH_STEP", f"checkpoint {checkpoint} does not run on a batch that is {start}")
            event = Held(
                start=start, checkpoint=checkpoint, content_digest=content_digest, codes=why, more=dict(facts or {})
            )
            self.move(session, entry, event, Cause.HELD)
            return record(entry)

    def refuse(
        self, batch: str, codes: Iterable[str], cites: Iterable[str], facts: Mapping[str, Any] | None = None
    ) -> BatchRecord:
        """This batch has no authority: `cites` are ids of instruments, or sources of law that the codes name."""
        with self.transaction() as session:
            entry = find(session, batch)
            why, law = tuple(sorted(set(codes))), tuple(sorted(set(cites)))
            if not why:
                raise Fault("NO_REASON", "a refusal without a code explains nothing")
            event = Refused(start=State(entry.state), codes=why, cites=law, more=dict(facts or {}))
            self.move(session, entry, event, Cause.REFUSED)
            return record(entry)

    def expire(self, batch: str, codes: Iterable[str]) -> BatchRecord:
        """Ends a batch that was held, or failed, for longer than its agreement allows."""
        with self.transaction() as session:
            entry = find(session, batch)
            event = Expired(start=State(entry.state), codes=tuple(sorted(set(codes))))
            self.move(session, entry, event, Cause.EXPIRED)
            return record(entry)
