"""Tries in the ledger: what a batch tried on persons, as pairs of keyed hashes, and which of them count.

What a batch tried counts once it may have been answered: from the moment in which it was prepared. A batch that was
refused, rejected, withdrawn or ended otherwise told nothing about rows, and counts nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flows.ledger.bulk import TRIES, Pairs, digest, incoming, pairs_of
from flows.ledger.core import Core, find
from flows.ledger.database.models import Batch, Claim, Event, Try, stamp, to_us
from flows.ledger.events.batch import Tries, TriesAged
from flows.ledger.lifecycles.states import FINAL, State

ANSWERED = frozenset({State.PUBLISHED})
ANSWERING = ANSWERED | {State.PREPARED}
# (batch, person_key, values_key); without the last, the batch disclosed the person's record.
Told = tuple[str, str, str | None]


def batches_that_count(
    session: Session, requester: str, since: datetime, states: frozenset[State], before: int | None = None
) -> list[str]:
    """The batches of a requester in one of these states that were prepared since then, by name; `before`: last prepared
    by an event before this one."""
    query = select(Batch.name).join(Event, Event.batch == Batch.name).group_by(Batch.name).order_by(Batch.name)
    prepared = (Event.kind == State.PREPARED.value) & (Event.at >= stamp(since))
    query = query.where(Batch.requester == requester, Batch.state.in_([s.value for s in states]), prepared)
    return list(session.scalars(query if before is None else query.having(func.max(Event.seq) < before)))


class TriesKept(Core):
    """What batches tried."""

    def answered(self, requester: str, since: datetime, states: frozenset[State] = ANSWERED) -> list[str]:
        """The batches of this requester whose tries since then count, by name."""
        with self.reading() as session:
            return batches_that_count(session, requester, since, states)

    def tries(self, batches: Iterable[str]) -> Iterator[Told]:
        """What these batches tried; and, of the published ones, whose records they disclosed. Streams."""
        with self.reading() as session:
            for name in batches:
                yield from ((name, person, values) for person, values in _tries_of(session, name))
                if find(session, name).state == State.PUBLISHED:
                    claimed = select(Claim.person_key).where(Claim.batch == name).execution_options(yield_per=20_000)
                    yield from ((name, person, None) for person in session.scalars(claimed))

    def record_tries(self, batch: str, pairs: Pairs) -> None:
        """Records that this batch tried these (person_key, values_key). Safe to repeat: what it tried before stays."""
        given = pairs_of(pairs)
        with self.transaction() as session:
            entry = find(session, batch)
            tried = sorted({*given, *_tries_of(session, batch)})
            rows, total = digest(tried)
            with incoming(session, tried):
                self.append(session, entry, Tries(rows=len(given), pairs=rows, tries=total))

    def age_tries(self, before: datetime) -> int:
        """Deletes the tries that count no more where those count that were answered since `before`: of batches received
        before then, up to the first that is under way or was prepared since. Gives how many there were."""
        with self.transaction() as session:
            kept = select(Event.batch).where(Event.kind == State.PREPARED.value, Event.at >= stamp(before))
            counts = Batch.name.in_(kept) | Batch.state.not_in([s.value for s in FINAL])
            first = session.scalar(select(func.min(Batch.received_at)).where(counts))
            until = min(before, datetime.fromisoformat(first)) if first else before
            event = TriesAged(before_us=to_us(until), rows=0)
            rows = session.scalar(select(func.count()).select_from(Try).where(Try.batch.in_(event.batches))) or 0
            if rows:
                self.append(session, None, TriesAged(before_us=to_us(until), rows=rows))
            return rows


def _tries_of(session: Session, batch: str) -> Iterator[tuple[str, str]]:
    """The tries of a batch, sorted, in bounded memory, however many batches are read at once."""
    query = select(*TRIES.keys).where(Try.batch == batch).order_by(*TRIES.keys)
    for row in session.execute(query.execution_options(yield_per=1_000)):
        yield row.person_key, row.values_key
