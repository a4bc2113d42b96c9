"""Batches in the ledger: taken in once, then moved from state to state with their events."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, TypeAlias

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from expectations.base.errors import Fault
from expectations.facts import band
from expectations.facts.earlier import Earlier
from expectations.instruments import Agreement
from flows.ledger import facts
from flows.ledger.carrying import require_hash_key
from flows.ledger.core import BatchRecord, Core, find, record
from flows.ledger.database.models import Batch, Event, stamp, to_us
from flows.ledger.events.base import AT_THE_DOOR
from flows.ledger.events.moves import Expired, Held, Moved, Received, Refused
from flows.ledger.events.read import Read
from flows.ledger.lifecycles.lifecycle import MOVED_ON
from flows.ledger.lifecycles.states import RUNS_IN, TRANSITIONS, Cause, Checkpoint, State
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of

Facts: TypeAlias = Mapping[str, Any] | None  # what the event of a move says more: counts, codes, digests, known ids
_AT_A_TIME = 1000  # names in one query
ROWS_COUNT = timedelta(days=30)  # so long before receipt what passed `intake` counts for the cap on rows
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
        signatory: int | None = None,
        letter_key: str | None = None,
        by: str | None = None,
        hashed_with: str | None = None,
    ) -> bool:
        """Takes a submission in, once: False if this batch or this submission is known, whose row then stays as it is.

        submission   its digest; requester, agreement: their ids, `unknown` where the letter cannot be read
        instruments  id to digest of all that the decision rests on; register: id or digest of its prepared version
        rows         as the letter says
        signatory    who signed the letter: the number of a signatory of the agreement in its version here, from 1
        letter_key   fingerprint of the key that signed it
        by           the operator who takes it in by hand; None if nobody does, or says so
        hashed_with  fingerprint of the key of the keyed hashes, as what was known before is hashed; None: not asked

        Raises Usage if no operator of this name is enrolled, or the key of the keyed hashes is another by now;
        NotYourRole if its roles do not allow it.
        """
        ids, what = {requester, agreement, register, *instruments}, "instruments"
        event = Received(
            submission=facts.digest(submission, "submission"),
            requester=facts.name(requester, "requester"),
            agreement=facts.name(agreement, "agreement"),
            register=facts.name(register, "register"),
            rows=rows,
            decided_on=int(f"{decided_on:%Y%m%d}"),
            instruments=tuple(sorted(instruments.values())),
            under=tuple((facts.name(k, what), facts.digest(v, what)) for k, v in sorted(instruments.items())),
            received_us=to_us(received_at),
            signatory=signatory,
            letter_key=letter_key and facts.digest(letter_key, "letter_key"),
            by=by,
        )
        with self.transaction() as session:
            if session.scalar(select(Batch.name).where(or_(Batch.name == batch, Batch.submission == submission))):
                return False
            if by is not None:
                require(roles_of(active_operator(session, by)), Act.RECEIVE, by)
            if hashed_with is not None:
                require_hash_key(session, hashed_with)
            self.append(session, facts.name(batch, "batch"), event, also=ids)
        return True

    def batch(self, name: str) -> BatchRecord | None:
        """The batch called `name`, or None."""
        with self.reading() as session:
            found = session.get(Batch, name)
            return record(found) if found else None

    def named(self, names: Iterable[str]) -> dict[str, BatchRecord]:
        """Those batches of these names that there are, by name."""
        asked, found = list(names), dict[str, BatchRecord]()
        with self.reading() as session:
            for first in range(0, len(asked), _AT_A_TIME):
                query = select(Batch).where(Batch.name.in_(asked[first : first + _AT_A_TIME]))
                found |= {batch.name: record(batch) for batch in session.scalars(query)}
        return found

    def known_batch(self, name: str) -> BatchRecord:
        """The batch called `name`; raises Usage if there is none."""
        with self.reading() as session:
            return record(find(session, name))

    def batches(self, *states: State) -> list[BatchRecord]:
        """All batches, or those in one of these states, oldest first."""
        query = select(Batch).order_by(Batch.received_at, Batch.name)
        if states:
            query = query.where(Batch.state.in_([state.value for state in states]))
        with self.reading() as session:
            return [record(b) for b in session.scalars(query)]

    def newest_batches(
        self, count: int, like: BatchRecord | None = None, under: str | None = None
    ) -> list[BatchRecord]:
        """So many of the batches received last, the newest first: of all, or `like` one and its requester's before, or
        those `under` which the instrument with this digest was in force."""
        query = select(Batch).order_by(Batch.received_at.desc(), Batch.name.desc()).limit(count)
        if like:
            query = query.where(Batch.requester == like.requester, Batch.received_at <= stamp(like.received_at))
        if under:
            query = query.where(Batch.instruments.contains(facts.digest(under, "under")))
        with self.reading() as session:
            return [record(b) for b in session.scalars(query)]

    def states(self) -> Mapping[State, int]:
        """How many batches there are in each state."""
        with self.reading() as session:
            found = session.execute(select(Batch.state, func.count()).group_by(Batch.state))
            return dict.fromkeys(State, 0) | {State(state): count for state, count in found}

    def events(self, batch: str | None = None) -> list[dict[str, Any]]:
        """The events of one batch, or all: seq, at, batch, kind, facts."""
        query = select(Event).order_by(Event.seq)
        with self.reading() as session:
            return [told(e) for e in session.scalars(query if batch is None else query.where(Event.batch == batch))]

    def tail(self, after: int, kinds: Collection[str]) -> list[dict[str, Any]]:
        """The events of these kinds after the one of that number, as `events` gives them, without their facts."""
        query = select(Event).where(Event.seq > after, Event.kind.in_(kinds)).order_by(Event.seq)
        with self.reading() as session:
            return [{"seq": e.seq, "at": e.at, "batch": e.batch, "kind": e.kind} for e in session.scalars(query)]

    def newest_event(self) -> int:
        """The number of the newest event; 0 of an empty ledger."""
        with self.reading() as session:
            return session.scalar(select(func.max(Event.seq))) or 0

    def last_event(self, batch: str | None) -> int:
        """The number of the newest event of a batch, or of those that are of no batch, that changed anything; 0 if
        there is none: a look at a page is no reason to run anything."""
        here = select(func.max(Event.seq)).where(Event.batch == batch, Event.kind.not_in(AT_THE_DOOR))
        with self.reading() as session:
            return session.scalar(here) or 0

    def passed_intake(self, requester: str, agreement: str, since: datetime) -> Earlier:
        """The rows that passed `intake` for this requester and agreement since then; how many were incomplete."""
        with self.reading() as session:
            found = [said for _, said in _ingested(session, requester, agreement, since)]
        return Earlier(sum(f.get("rows_submitted", 0) for f in found), sum(f.get("incomplete_rows", 0) for f in found))

    def match_rates(self, requester: str, agreement: str, newest: int = band.NEWEST) -> list[tuple[int, int]]:
        """(rows looked up, matched) of the `newest` newest published batches of this requester and agreement, newest
        first. Batches of an older version, which did not say, are left out."""
        query = _events(State.MATCHED, requester, agreement).where(Batch.state == State.PUBLISHED.value)
        with self.reading() as session:
            # a batch becomes `matched` again when it goes on after a hold or a fault: that event counts nothing
            said = (json.loads(event.facts) for event in session.scalars(query.order_by(Event.seq.desc())))
            counted = (f for f in said if "looked_up" in f)
            return [(f["looked_up"], f["matched"]) for f in islice(counted, newest)]

    def advance(self, batch: str, to: State, *, facts: Facts = None) -> BatchRecord:
        """Moves a batch on after a checkpoint, a fault, or its end.

        To go on after a fault, advance to the record's `resumes`. To hold, refuse, decide or publish: see those
        methods. Raises Fault if the state does not allow it, or if a fact may be a value.
        """
        with self.transaction() as session:
            entry = find(session, batch)
            start, cause = State(entry.state), TRANSITIONS.get((State(entry.state), to))
            if cause not in _PLAIN or start is State.PREPARED:
                raise Fault("NO_SUCH_STEP", f"a batch that is {start} does not simply become {to}", remedy=MOVED_ON)
            if cause is Cause.RETRIED and to.value != entry.resumes:
                raise Fault("NO_SUCH_STEP", f"a batch that failed goes on from where it was, not from {to}")
            return self.move(session, entry, Moved(start=start, to=to, more=dict(facts or {})), cause)

    def hold(
        self,
        batch: str,
        checkpoint: Checkpoint,
        content_digest: str,
        codes: Iterable[str],
        facts: Facts = None,
        reading: Read | None = None,
    ) -> BatchRecord:
        """A checkpoint held this batch, whose committed rows have this digest. No codes: it was not evaluated.
        `reading`: what was read again since receipt, if that is why."""
        with self.transaction() as session:
            entry = find(session, batch)
            start, why, more = State(entry.state), tuple(sorted(set(codes))), dict(facts or {})
            if RUNS_IN[checkpoint] is not start:
                raise Fault("NO_SUCH_STEP", f"checkpoint {checkpoint} does not run on a batch that is {start}")
            event = Held(
                start=start,
                checkpoint=checkpoint,
                content_digest=content_digest,
                codes=why,
                reading=reading,
                more=more,
            )
            return self.move(session, entry, event, Cause.HELD)

    def refuse(
        self,
        batch: str,
        codes: Iterable[str],
        cites: Iterable[str],
        facts: Facts = None,
        reading: Read | None = None,
    ) -> BatchRecord:
        """This batch has no authority: `cites` are ids of instruments, or sources of law that the codes name.
        `reading`: what was read again since receipt, if that is why."""
        with self.transaction() as session:
            entry = find(session, batch)
            why, law = tuple(sorted(set(codes))), tuple(sorted(set(cites)))
            if not why:
                raise Fault("NO_REASON", "a refusal without a code explains nothing")
            event = Refused(start=State(entry.state), codes=why, cites=law, reading=reading, more=dict(facts or {}))
            return self.move(session, entry, event, Cause.REFUSED)

    def expire(self, batch: str, codes: Iterable[str]) -> BatchRecord:
        """Ends a batch that was held, or failed, for longer than its agreement allows."""
        with self.transaction() as session:
            entry = find(session, batch)
            event = Expired(start=State(entry.state), codes=tuple(sorted(set(codes))))
            return self.move(session, entry, event, Cause.EXPIRED)


def over_cap(session: Session, entry: Batch, versions: Iterable[Agreement]) -> dict[str, list[str]]:
    """The codes and the agreement that stand in the way of a batch above its cap on rows within 30 days, or on the
    share of incomplete ones; or nothing.

    `intake` judges it by what had passed at receipt: two batches in flight at once, neither knowing of the other, could
    pass together. Here, under the publication lock, whatever passed `intake` before this batch did counts, so that of
    two the later is stopped, whoever publishes first. `versions` of the agreement: the lowest of their limits counts.
    """
    limits = [a.thresholds.complete() for a in versions]
    rows: dict[str, tuple[int, int]] = {}
    since = datetime.fromisoformat(entry.received_at) - ROWS_COUNT
    for batch, said in _ingested(session, entry.requester, entry.agreement, since):
        rows[batch] = rows.get(batch) or (said.get("rows_submitted", 0), said.get("incomplete_rows", 0))
        if batch == entry.name:
            break
    total, incomplete = (sum(n) for n in zip(*rows.values(), strict=True)) if rows else (0, 0)
    own = rows.get(entry.name, (0, 0))[1]  # a batch without such rows is not stopped for those of others
    over = {
        "TOO_MANY_ROWS_30_DAYS": any(total > (one.rows_30_days or 0) for one in limits),
        "TOO_MANY_INCOMPLETE": own > 0
        and any(incomplete > (one.incomplete_share_30_days or 0) * total for one in limits),
    }
    return {code: [entry.agreement] for code, is_over in over.items() if is_over}


def _ingested(session: Session, requester: str, agreement: str, since: datetime) -> Iterator[tuple[str, Any]]:
    """Batches that passed `intake` since then, in that order, each with what its event says."""
    query = _events(State.INGESTED, requester, agreement).where(Event.at >= stamp(since)).order_by(Event.seq)
    yield from ((str(event.batch), json.loads(event.facts)) for event in session.scalars(query))


def _events(kind: State, requester: str, agreement: str) -> Select[Event]:
    """The events of a kind of all batches of a requester under an agreement."""
    query = select(Event).join(Batch, Batch.name == Event.batch).where(Event.kind == kind.value)
    return query.where(Batch.requester == requester, Batch.agreement == agreement)


def told(event: Event) -> dict[str, Any]:
    """An event as callers see it: seq, at, batch, kind, facts."""
    facts = json.loads(event.facts)
    return {"seq": event.seq, "at": event.at, "batch": event.batch, "kind": event.kind, "facts": facts}
