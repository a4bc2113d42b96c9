"""Disclosure claims, in bulk: pairs of keyed hashes, each batch's proven by the digest in its event.

The database counts, and streams: no list of claims comes into Python.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, distinct, func, select
from sqlalchemy.orm import Session

from expectations.base.errors import Fault
from flows.ledger.bulk import INCOMING, Pairs, pairs_of
from flows.ledger.core import BatchRecord, Core, reached, record
from flows.ledger.database.models import Batch, Claim, RecallCase, Recalled
from flows.ledger.lifecycles.states import State


@dataclass(frozen=True)
class Disclosed:
    """A person's record, disclosed with a batch. `requests`: how many of its requests were answered with it; `recalls`:
    state by id of the cases that recall any of them."""

    batch: BatchRecord
    published_at: datetime
    requests: int
    recalls: dict[str, str]


class Disclosures(Core):
    """What was disclosed."""

    def disclosed(self, requester: str, agreement: str) -> Iterator[str]:
        """Request keys that were disclosed to this requester under this agreement (published only), sorted.

        Keys that another batch has merely prepared are found when this batch claims its own.
        """
        query = select(Claim.request_key).join(Batch, Batch.name == Claim.batch).order_by(Claim.request_key)
        ours = (Claim.requester == requester) & (Claim.agreement == agreement) & (Batch.state == State.PUBLISHED.value)
        with self.reading() as session:
            yield from session.scalars(query.where(ours).execution_options(yield_per=20_000))

    def disclosures_of(self, person_key: str) -> list[Disclosed]:
        """To whom this person's record was disclosed, oldest first."""
        with self.reading() as session:
            his = Claim.person_key == person_key  # a scan, in seconds: see Bulk.put
            counted = session.execute(select(Claim.batch, func.count()).where(his).group_by(Claim.batch))
            requests = dict(counted.all())
            recalls, left = _recalls(session, his), State.PUBLISHED
            rows = session.scalars(select(Batch).where(Batch.name.in_(requests), Batch.state == left.value))
            found = [
                Disclosed(record(b), reached(session, b.name, left), requests[b.name], recalls.get(b.name, {}))
                for b in rows
            ]
        return sorted(found, key=lambda d: (d.published_at, d.batch.name))

    def persons(self, requester: str, batches: Iterable[str]) -> int:
        """How many different persons these batches of a requester disclosed."""
        query = select(func.count(distinct(Claim.person_key)))
        query = query.where(Claim.requester == requester, Claim.batch.in_(list(batches)))
        with self.reading() as session:
            return session.scalar(query) or 0


def once(batch: str, pairs: Pairs) -> list[tuple[str, str]]:
    """(request_key, person_key) to claim, sorted; raises Fault if a request key is there more than once."""
    data = pairs_of(pairs)
    if any(a[0] == b[0] for a, b in pairwise(data)):
        raise Fault("KEY_TWICE", "a request key stands more than once among the rows to release", where=batch)
    return data


def taken(session: Session, batch: Batch) -> frozenset[str]:
    """Which of the request keys that came in other batches hold: then none of them may be claimed."""
    same = (Claim.requester == batch.requester) & (Claim.agreement == batch.agreement)
    query = select(Claim.request_key).where(same & Claim.request_key.in_(select(INCOMING.c.a)))
    return frozenset(session.scalars(query))


def _recalls(session: Session, claims: ColumnElement[bool]) -> dict[str, dict[str, str]]:
    """By batch, the state by id of the cases that recall any of these claims."""
    same = and_(*(getattr(Recalled, k) == getattr(Claim, k) for k in ("requester", "agreement", "request_key")))
    query = select(Claim.batch, RecallCase.id, RecallCase.state).join(Recalled, same)
    found: dict[str, dict[str, str]] = {}
    for batch, case, state in session.execute(query.join(RecallCase, RecallCase.id == Recalled.case_id).where(claims)):
        found.setdefault(batch, {})[case] = state
    return found
