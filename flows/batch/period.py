"""What a requester has asked for within the agreement's period: counted when a batch's rows are read, with all that was
read before it, and kept with the batch, so that every later decision, and a replay, starts from the same numbers."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from expectations.base.duck import parquet
from expectations.facts import reasons
from expectations.facts.earlier import Earlier, Period
from flows.evidence.requests import COLUMNS, proven, relation, requests_path, store_requests
from flows.home.keys import hashed_with
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.requests import AskedBefore
from flows.registry import enrolled
from pipelines.context import BatchContext
from pipelines.lake import durable
from pipelines.lake.sql import Connection, quiet

STEP = "batch.period"


def count(home: Home, ledger: Ledger, ctx: BatchContext) -> None:
    """Counts a batch whose rows are read, once; safe to repeat."""
    known = json.loads(ctx.earlier.read_text())
    if known.get("period") is not None:
        return
    ledger.ask(ctx.batch, *store_requests(home, ctx))
    found = _recorded(home, ledger, ctx, ctx.agreement.thresholds.period_days)
    durable.write(ctx.earlier, json.dumps(asdict(Earlier.read({**known, "period": asdict(found)}))).encode())


def count_again(home: Home, ledger: Ledger, ctx: BatchContext) -> None:
    """Before publication: if the agreement has a longer period by now, the count over it is recorded too."""
    before, now = ledger.counted_period(ctx.batch), enrolled.newest(ledger).agreements[ctx.agreement.id]
    if before is not None and before["days"] < now.thresholds.period_days:
        _recorded(home, ledger, ctx, now.thresholds.period_days)


def _recorded(home: Home, ledger: Ledger, ctx: BatchContext, days: int) -> Period:
    before = ledger.asked_before(ctx.batch, days)
    own = requests_path(home, ctx.batch)
    others = [
        relation(proven(home, b.batch, b.digest), hashed_with(home, ledger, b.batch), ctx.hash_key) for b in before
    ]
    with quiet(STEP, ctx.planned) as connection:
        ctx.hash_key.install(connection)
        found = counted(connection, own, before, others)
    ledger.count_period(ctx.batch, days, found)
    return found


def counted(connection: Connection, own: Path, before: Sequence[AskedBefore], others: Sequence[str]) -> Period:
    """What the keyed requests in `own` come to with those of the batches before it (`others`: relations, in the same
    order).

    A request that was sent several times is one request. Of a batch that ended without a release it does not count with
    what was said then, if it was sent again: a batch that was refused may come back corrected.
    """
    parts = [f"SELECT {n} AS n, {b.ended} AS ended, * FROM {o}" for n, (b, o) in enumerate(_both(before, others))]
    parts.append(f"SELECT {len(parts)} AS n, false AS ended, * FROM {parquet([own])}")
    connection.execute(f"CREATE TEMP VIEW own AS SELECT {', '.join(COLUMNS)} FROM {parquet([own])}")
    connection.execute(f"CREATE TEMP VIEW sent AS {' UNION ALL '.join(parts)}")
    last = "SELECT request, max(n) AS last FROM sent GROUP BY request"
    again = f"SELECT s.* FROM sent s JOIN ({last}) USING (request) WHERE NOT ended OR n = last"
    kept = again if any(b.ended for b in before) else "SELECT * FROM sent"
    connection.execute(f"CREATE TEMP VIEW asked AS SELECT {', '.join(COLUMNS)} FROM ({kept})")
    requests = connection.execute("SELECT count(DISTINCT request) FROM asked").fetchall()[0][0]
    return Period(requests, _busiest(connection), _commonest(connection))


def _both(before: Sequence[AskedBefore], others: Sequence[str]) -> Iterable[tuple[AskedBefore, str]]:
    return zip(before, others, strict=True)


def _busiest(connection: Connection) -> int:
    """The most requests that name one officer of this batch, under whatever ids and names he is known."""
    pairs = connection.execute("SELECT DISTINCT officer, officer_name FROM asked WHERE officer IS NOT NULL").fetchall()
    person = _persons(pairs)
    values = ", ".join(f"({officer}::UBIGINT, {number})" for officer, number in person.items())
    connection.execute(
        f"CREATE TEMP TABLE persons AS SELECT * FROM (VALUES {values or '(NULL, NULL)'}) p(officer, person)"
    )
    query = """
        SELECT coalesce(max(n), 0) FROM (
          SELECT person, count(DISTINCT request) AS n FROM asked JOIN persons USING (officer)
          WHERE person IN (SELECT person FROM own JOIN persons USING (officer)) GROUP BY person)"""
    return int(connection.execute(query).fetchall()[0][0])


def _persons(pairs: Iterable[tuple[int, int | None]]) -> dict[int, int]:
    """Each officer's id (hashed) → a number that those ids share whose names lead to one person, over several letters
    too."""
    above: dict[tuple[str, int], tuple[str, int]] = {}

    def top(one: tuple[str, int]) -> tuple[str, int]:
        while above.setdefault(one, one) != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    ids = set()
    for id, name in pairs:
        ids.add(id)
        above[top(("id", id))] = top(("name", name)) if name is not None else top(("id", id))
    numbers: dict[tuple[str, int], int] = {}
    return {id: numbers.setdefault(top(("id", id)), len(numbers)) for id in sorted(ids)}


def _commonest(connection: Connection) -> int:
    """The most requests that give one reason of this batch; 0 if no two do."""
    keys = ", ".join(reasons.KEYS)
    connection.execute(f"""
        CREATE TEMP TABLE given AS SELECT request, unnest([{keys}]) AS key FROM asked;
        CREATE TEMP TABLE shared AS SELECT key FROM given WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1""")
    query = f"""
        SELECT coalesce(max(n), 0) FROM (
          SELECT count(DISTINCT request) AS n FROM given SEMI JOIN shared USING (key)
          WHERE key IN (SELECT unnest([{keys}]) FROM own) GROUP BY key HAVING n > 1)"""
    return int(connection.execute(query).fetchall()[0][0])
