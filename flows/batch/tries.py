"""Limits on tries, where a batch meets the ledger: what is known at receipt, what is recorded, and what is read again
before publication.

Batches are answered one after the other: each counts what those before it tried, published or prepared, and then its
own. That is worked out beside the ledger, over no lock; the clause `tries` of the publication decision asks under the
lock whether anything was answered in between, and then it is worked out again.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from expectations.base.digests import of_json
from expectations.base.duck import parquet, quote
from expectations.instruments import Agreement, Thresholds
from expectations.rules import disclosure
from flows.ledger import Ledger, chain
from flows.ledger.database.models import Batch
from flows.ledger.lifecycles.states import State
from flows.ledger.tries import ANSWERING, batches_that_count
from flows.registry import enrolled
from pipelines import lake
from pipelines.context import BatchContext
from pipelines.lake.sql import copy, quiet
from pipelines.lake.workplace import locked_folder
from pipelines.validate import tries

# Of the rows that limits on tries held.
CODES = tuple(disclosure.RULES[f"disclosure.{name}"].code for name in ("few_tries", "tried_alone"))
_COLUMNS = ("batch", "person_key", "values_key")


def since(agreement: Agreement, moment: datetime) -> datetime:
    """From when on tries count at a moment."""
    return moment - timedelta(days=agreement.thresholds.tries_days)


def longest(ledger: Ledger) -> timedelta:
    """The longest period in which a try counts under any version of any agreement that was enrolled."""
    versions = (enrolled.read([v.body]) for name, *_ in ledger.instruments() for v in ledger.versions(name))
    days = [a.thresholds.tries_days for found in versions for a in found.agreements.values()]
    return timedelta(days=max(days, default=Thresholds.model_fields["tries_days"].default))


def write_keys(path: Path, names: Iterable[str], rows: Iterable[tuple[str | None, ...]]) -> None:
    """Writes rows of texts as Parquet: millions of keys pass through, never all at once."""
    schema, source = pa.schema([(n, pa.string()) for n in names]), iter(rows)
    with pq.ParquetWriter(path, schema) as writer:
        while some := list(islice(source, 100_000)):
            columns = [pa.array(c, pa.string()) for c in zip(*some, strict=True)]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def write_known(ledger: Ledger, path: Path, agreement: Agreement, moment: datetime) -> None:
    """Writes what this requester's published batches tried, as a batch received at this moment is judged by it."""
    answered = ledger.answered(agreement.requester.id, since(agreement, moment))
    write_keys(path, _COLUMNS, ledger.tries(answered))


def record(ledger: Ledger, ctx: BatchContext) -> None:
    """Records what a batch tried, once its validate stage is committed."""
    parts = lake.committed(ctx.step(tries.STEP)).paths("tries")
    ledger.record_tries(ctx.batch, pa.concat_tables(pq.read_table(p) for p in parts))


@dataclass(frozen=True)
class Answered:
    """What counts at a moment: the batches that were answered since then, and the narrowest limit of the agreement."""

    allowed: int
    batches: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Names it."""
        return of_json(asdict(self))


def answered(session: Session, entry: Batch, versions: Iterable[Agreement], moment: datetime) -> Answered:
    """What counts for a batch, in one view of the ledger. `versions` of the agreement: the narrowest limits count."""
    agreed = [a.thresholds for a in versions]
    begin = moment - timedelta(days=max(t.tries_days for t in agreed))
    # of two that are prepared, the later one counts the earlier one, and not the other way round
    own = chain.newest(session, entry.name, State.PREPARED.value) if entry.state == State.PREPARED else None
    found = batches_that_count(session, entry.requester, begin, ANSWERING, before=own.seq if own else None)
    return Answered(min(t.tries_per_person for t in agreed), tuple(name for name in found if name != entry.name))


def counted(ledger: Ledger, ctx: BatchContext, count: Answered, released: str, target: Path) -> None:
    """Writes (ordinal, earlier_tries, allowed) of the rows of `released` (ordinal, person_key; can stand in FROM) on
    whose persons other values count as tries."""
    tried = parquet(lake.committed(ctx.step(tries.TRIED)).paths("tried"))
    names = f"[{', '.join(map(quote, count.batches))}]::VARCHAR[]"
    known = f"(SELECT * FROM {parquet([ctx.tries])} WHERE list_contains({names}, batch))"
    with locked_folder(ctx.root, ".tries-") as folder, quiet("release.again", ctx.planned) as connection:
        there = {n for (n,) in connection.execute(f"SELECT DISTINCT batch FROM {known}").fetchall()}
        later = folder / "since.parquet"
        write_keys(later, _COLUMNS, ledger.tries([name for name in count.batches if name not in there]))
        own = f"(SELECT * FROM {tried} t SEMI JOIN {released} e USING (person_key))"
        found = tries.counted(own, f"(SELECT * FROM {known} UNION ALL SELECT * FROM {parquet([later])})")
        # a row of which nothing is known, or beside which others try other values, is not released
        query = f"""
        SELECT e.ordinal, {count.allowed}::INTEGER AS allowed,
          CASE WHEN coalesce(c.tried_beside, 1) > 0 THEN greatest(coalesce(c.earlier_tries, 0), {count.allowed})
            ELSE c.earlier_tries END::INTEGER AS earlier_tries
        FROM {released} e LEFT JOIN {tried} t USING (ordinal, person_key)
          LEFT JOIN ({found}) c ON c.person_key = t.person_key AND c.values_key = t.values_key
        WHERE coalesce(c.earlier_tries + c.tried_beside, 1) > 0 ORDER BY e.ordinal"""
        copy(connection, query, target)
