"""What every part of the ledger stands on: one writer at a time, and no change without its event."""

import json
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self, TypeAlias

from pydantic import Json
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from expectations.base import algorithms
from expectations.base.clock import Clock
from expectations.base.errors import Fault, Usage
from flows.ledger import chain, facts
from flows.ledger.database import engine
from flows.ledger.database.models import Batch, Enrolled, Operator, Time, as_record, stamp
from flows.ledger.events import Event
from flows.ledger.events.home import Rehashed
from flows.ledger.events.moves import Move
from flows.ledger.events.operators import Denied
from flows.ledger.lifecycles.states import BATCH, Cause, Checkpoint, State
from flows.ledger.roles import Forbidden
from flows.ledger.tables import Tables
from flows.ledger.timing import GuardedClock, guarded, newest_time, true_time

# What events have by digest only, by that digest: key lines (by fingerprint), signatures, bytes.
Contents: TypeAlias = Mapping[str, Any] | None


@dataclass(frozen=True)
class BatchRecord:
    """A batch as the ledger knows it.

    resumes         held or failed: the state that it goes on from
    hold            held: number of the event that holds it; part of what an operator signs
    checkpoint      held: where; content_digest: the committed rows that were held
    codes, cites    why it is held or refused, and the instruments that say so
    package_digest  prepared or published: digest of the package folder
    received_by     the operator who took it in by hand; None if nobody did, or said so
    """

    name: str
    submission: str
    requester: str
    agreement: str
    received_at: Time
    decided_on: date
    instruments: Json[Mapping[str, str]]
    register: str
    rows: int
    state: State
    resumes: State | None
    hold: int | None
    checkpoint: Checkpoint | None
    content_digest: str | None
    codes: Json[tuple[str, ...]]
    cites: Json[tuple[str, ...]]
    package_digest: str | None
    merkle_root: str | None
    received_by: str | None


class Core:
    """The open database, its transactions, and the one way to append an event."""

    def __init__(self, database: Engine, clock: Clock) -> None:
        self._readers = database
        self.clock = clock
        self._writers = database.execution_options(**{engine.WRITES: True})

    @classmethod
    def open(cls, url: str, clock: Clock | None = None, waits: int | None = None) -> Self:
        """Opens, and where needed makes or migrates, the ledger at `sqlite:///PATH` or `postgresql://…`. `waits`: for
        so many seconds at most a transaction waits for another; then it raises Transient. Digests are made by the
        ledger's algorithm from then on."""
        ledger = cls(engine.connect(url, waits), clock or Clock())
        try:
            ledger._bring_up_to_date()
            with ledger.reading() as session:
                algorithms.use(chain.in_force(session))
        except BaseException:
            ledger.close()
            raise
        return ledger

    def _bring_up_to_date(self) -> None:
        with self.reading() as session:
            current = engine.is_current(session)
        if not current:
            with self.filling() as session:
                engine.upgrade(session)

    @property
    def clock(self) -> GuardedClock:
        """The clock that everything here is judged by: compared with the newest event, whenever it is asked."""
        return self._clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self._clock = self.guard(clock)

    def at(self, clock: Clock) -> Self:
        """The same open ledger by another clock; it is closed with this one."""
        return type(self)(self._readers, clock)

    def guard(self, clock: Clock) -> GuardedClock:
        """Another clock, guarded by this ledger's newest event."""
        return GuardedClock.of(clock, self._newest_time)

    def _newest_time(self) -> datetime | None:
        with self.reading() as session:
            return newest_time(session)

    def close(self) -> None:
        """Closes every connection."""
        self._readers.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """The only writer: everyone else's transaction, halts and new orders included, waits. Commits at the end.

        Raises Transient when the database is busy, Fault when it contradicts itself. What somebody may not do
        is undone, and recorded.
        """
        try:
            with self.filling() as session:
                algorithms.use(chain.in_force(session))  # another process may have changed it
                yield session
        except Forbidden as refused:
            self.deny(refused)
            raise

    @contextmanager
    def filling(self) -> Iterator[Session]:
        """A `transaction` for a database whose tables are of an older form, or not there yet: it asks nothing of
        them. Raises as that."""
        with engine.translated(), Session(self._writers) as session, session.begin():
            engine.lock(session)
            yield session

    @contextmanager
    def within(self, session: Session | None) -> Iterator[Session]:
        """The caller's transaction, or one of its own."""
        if session is not None:
            yield session
            return
        with self.transaction() as own:
            yield own

    def deny(self, refused: Forbidden) -> None:
        """Records that an operator tried what is not allowed."""
        with self.filling() as session:
            event = Denied(by=refused.by, act=refused.act)
            self.append(session, None, event, at=self.stamp_or_newest(session))

    @contextmanager
    def beside(self) -> Iterator[Session]:
        """A transaction for tables that no event tells of: on PostgreSQL it waits for nobody who appends events.
        Commits at the end; raises as `transaction`."""
        with engine.translated(), Session(self._writers) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view; never waits for a writer."""
        with engine.translated(), Session(self._readers) as session:
            yield session

    def now(self) -> str:
        """The time now, as the ledger writes it."""
        return stamp(self.clock.now())

    def append(
        self,
        session: Session,
        batch: Batch | str | None,
        event: Event,
        contents: Contents = None,
        also: Set[str] = frozenset(),
        at: str | None = None,
    ) -> int:
        """Adds an event to the chain and applies it, in the caller's transaction; gives its number.

        `also`: ids that may stand in it, beside those that the ledger knows. `at`: its time, if not the clock's.
        Raises Fault if it may hold a value, or cannot follow what stands, or if this machine's clock is wrong.
        """
        known = set(also) | set(session.scalars(select(Enrolled.id))) | set(session.scalars(select(Operator.name)))
        if isinstance(batch, Batch):
            known |= {batch.name, batch.requester, batch.agreement, batch.register, *json.loads(batch.instruments)}
        name = batch.name if isinstance(batch, Batch) else batch
        text = facts.checked(event.facts(), known)
        scheme = event.scheme if isinstance(event, Rehashed) else None
        link = chain.append(session, at or self._stamp(session), name, event.event_kind, text, scheme)
        tables = Tables(session, link, contents or {})
        for reason in event.wrong(tables):
            raise Fault("EVENT_WRONG", reason, where=name or "", remedy="Run sluicegate ledger verify.")
        event.apply(tables)
        session.flush()
        return link.seq

    def _stamp(self, session: Session) -> str:
        """The time of an event that is appended now, under the lock: never before that of the newest one."""
        clock = self.clock
        return stamp(guarded(clock.machine(), newest_time(session), clock.skew, clock.leap))

    def stamp_or_newest(self, session: Session) -> str:
        """The same; where this machine's clock is wrong, the time of the newest event."""
        try:
            return self._stamp(session)
        except Fault:
            newest = newest_time(session)
            return stamp(newest) if newest else stamp(self.clock.machine())

    def move(self, session: Session, batch: Batch, event: Move, cause: Cause) -> BatchRecord:
        """Moves a batch on, with its event; raises Fault if its state does not allow it."""
        BATCH.check(State(batch.state), cause, event.end)
        self.append(session, batch, event)
        return record(batch)


def home_id(session: Session) -> str:
    """What this home is called in what operators sign, so that no signature counts in another home."""
    return chain.first_hash(session)


def find(session: Session, name: str) -> Batch:
    """The batch called `name`; raises Usage if there is none."""
    batch = session.get(Batch, name)
    if batch is None:
        raise Usage("UNKNOWN_BATCH", "the ledger knows no batch of this name", remedy="See sluicegate status.")
    return batch


def reached(session: Session, batch: str, state: State) -> datetime:
    """When a batch came, last, into a state that it has been in."""
    event = chain.newest(session, batch, state.value)
    assert event is not None, "no change of state without its event"
    return true_time(session, event)


def record(batch: Batch) -> BatchRecord:
    """A row of the ledger as callers see it."""
    return as_record(BatchRecord, batch)
