"""The keyed hashes in the ledger, and which generation of their key each batch was hashed with.

Where the key becomes another, its new generation is taken over what is stored: in the transaction, and under the lock,
of the event that tells of the key. One event for each owner of rows says what they are from then on.
"""

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base.errors import Usage
from expectations.base.keyed import Generation
from flows.ledger.bulk import BY_NAME, INCOMING, Bulk, digest, incoming, load
from flows.ledger.core import Core
from flows.ledger.database.models import Batch, Event, HomeKey, KeyName
from flows.ledger.events.carried import OWNERS, Carried
from flows.ledger.events.home import UNDER_WAY
from flows.ledger.hashed import Hashed

_AT_A_TIME = 20_000
_NAMED = 5  # of batches that are under way
Append = Callable[..., int]


class Generations(Core):
    """Which key batches were hashed with."""

    def hashed_with(self, batch: str) -> str | None:
        """The fingerprint that the key of the keyed hashes had when this batch was received: its rows, its accounting
        and what was made from these are hashed so. None: the ledger knows no keys."""
        with self.reading() as session:
            query = select(HomeKey.seq, HomeKey.fingerprint).where(HomeKey.name == KeyName.HASH.value)
            known = [(row.seq, row.fingerprint) for row in session.execute(query.order_by(HomeKey.seq))]
            if len({fingerprint for _, fingerprint in known}) < 2:
                return known[0][1] if known else None
            first = session.scalar(select(func.min(Event.seq)).where(Event.batch == batch)) or 0
        return next((fingerprint for seq, fingerprint in reversed(known) if seq < first), known[0][1])

    def claims_carried(self, batch: str) -> str | None:
        """The digest of the claims of this batch as they were carried over last; None: they never were."""
        query = select(Event).where(Event.batch == batch, Event.kind == Carried.kinds[0]).order_by(Event.seq.desc())
        with self.reading() as session:
            found = (Carried.read(event.kind, event.facts) for event in session.scalars(query))
            return next((one.digest for one in found if isinstance(one, Carried) and one.table is Hashed.CLAIMS), None)


def require_successor(session: Session, by: Generation | None, before: str, now: str) -> Generation:
    """The generation that leads from the fingerprint before to the one now. Raises Usage if it is another key, or if a
    batch is under way: its rows are hashed with the key of before."""
    if by is None or by.keyed_hash(before) != now:
        what = "what batches asked for, tried and disclosed is hashed with the key that the ledger knows"
        remedy = "Restore that key: only one that sluicegate keys renew hash made from it can take its place."
        raise Usage("KEY_IN_USE", what, where=KeyName.HASH, remedy=remedy)
    under_way = list(session.scalars(UNDER_WAY.limit(_NAMED + 1)))
    if under_way:
        what = "a batch is under way, and its rows are hashed with the key of before"
        named = ", ".join(under_way[:_NAMED]) + (" and others" if len(under_way) > _NAMED else "")
        remedy = "Let each of them end, and take none in meanwhile; the signatures still count then."
        raise Usage("BATCH_UNDER_WAY", what, where=named, remedy=remedy)
    return by


def require_hash_key(session: Session, fingerprint: str) -> None:
    """Raises Usage if the ledger knows another key of the keyed hashes than the one with this fingerprint."""
    newest = select(HomeKey.fingerprint).where(HomeKey.name == KeyName.HASH.value).order_by(HomeKey.seq.desc()).limit(1)
    if session.scalar(newest) not in (None, fingerprint):
        what = "the key of the keyed hashes was renewed while a batch was taken in"
        raise Usage("KEY_OTHER", what, where=KeyName.HASH, remedy="Take the batch in again.")


def carry_over(append: Append, session: Session, after: int, by: Generation) -> None:
    """Carries all rows over, owner by owner, in bounded memory. `append`: of the ledger; `after`: the event that told
    of the key."""
    for table, bulk in BY_NAME.items():
        for owner in session.scalars(select(bulk.owner).distinct().order_by(bulk.owner)).all():
            with incoming(session, []):
                _fill(session, bulk, owner, by)
                keys = [INCOMING.c.a, INCOMING.c.b][: len(bulk.keys)]
                rows = select(*keys).order_by(*keys).execution_options(yield_per=_AT_A_TIME)
                count, total = digest(session.execute(rows))
                event = Carried(table=table, owner=owner, rows=count, digest=total, after=after)
                append(session, owner if OWNERS[table] is Batch else None, event, also={owner})


def _fill(session: Session, bulk: Bulk, owner: str, by: Generation) -> None:
    """Loads what an owner's rows become."""
    rows = select(*bulk.keys).where(bulk.owner == owner).execution_options(yield_per=_AT_A_TIME)
    for some in session.execute(rows).partitions():
        carried = [tuple(map(by.keyed_hash, row)) for row in some]
        load(session, [(one[0], one[-1]) for one in carried])
