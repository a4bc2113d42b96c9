"""Disclosure claims and tries, in bulk: pairs of keyed hashes go in by the hundred thousand, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeAlias

import pyarrow as pa
from sqlalchemy import String, column, delete, func, insert, literal, select, table, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from expectations.errors import Fault
from flows.ledger import facts
from flows.ledger.core import Core, find, stamp
from flows.ledger.models import Batch, Claim, Try
from flows.ledger.states import State

Pairs: TypeAlias = pa.Table | Iterable[tuple[str, str]]
INCOMING = table("incoming", column("a", String), column("b", String))
_a, _b = INCOMING.c.a, INCOMING.c.b


class Disclosures(Core):
    """What was disclosed, and which addresses were tried."""

    def disclosed(self, requester: str, agreement: str) -> Iterator[str]:
        """Request keys that were disclosed to this requester under this agreement (published only), sorted.

        Keys that another batch has merely prepared are met when this batch claims its own.
        """
        query = (
            select(Claim.request_key)
            .join(Batch, Batch.name == Claim.batch)
            .where(Claim.requester == requester, Claim.agreement == agreement, Batch.state == State.PUBLISHED.value)
            .order_by(Claim.request_key)
        )
        with self.reading() as session:
            yield from session.scalars(query.execution_options(yield_per=20_000))

    def tries(self, requester: str, since: datetime) -> Iterator[tuple[str, str]]:
        """(person_key, address_key) of what this requester tried since then, sorted."""
        query = (
            select(Try.person_key, Try.address_key)
            .where(Try.requester == requester, Try.at >= stamp(since))
            .order_by(Try.person_key, Try.address_key)
        )
        with self.reading() as session:
            for row in session.execute(query.execution_options(yield_per=20_000)):
                yield row.person_key, row.address_key

    def record_tries(self, batch: str, pairs: Pairs) -> None:
        """Records that this batch tried these (person_key, address_key), at the time of its receipt. Safe to repeat."""
        with self.transaction() as session, incoming(session, pairs) as rows:
            entry = find(session, batch)
            source = select(literal(entry.requester), _a, _b, literal(entry.received_at)).where(true()).distinct()
            on_postgresql = _is_postgresql(session)
            put = (postgresql if on_postgresql else sqlite).insert(Try)
            put = put.from_select(["requester", "person_key", "address_key", "at"], source)
            newest = (func.greatest if on_postgresql else func.max)(Try.at, put.excluded.at)
            session.execute(
                put.on_conflict_do_update(
                    index_elements=["requester", "person_key", "address_key"], set_={"at": newest}
                )
            )
            self.append(session, entry, "tries", {"rows": rows})


def claim(session: Session, batch: Batch, pairs: Pairs) -> frozenset[str]:
    """Claims (request_key, person_key) for a batch, all or none: gives the keys that other batches hold, else empty.

    Raises Fault if a request key stands twice in `pairs`.
    """
    with incoming(session, pairs) as rows:
        if session.scalar(select(func.count(_a.distinct())).select_from(INCOMING)) != rows:
            raise Fault("KEY_TWICE", "a request key stands more than once among the rows to release", where=batch.name)
        same = (Claim.requester == batch.requester) & (Claim.agreement == batch.agreement)
        taken = frozenset(session.scalars(select(Claim.request_key).where(same & Claim.request_key.in_(select(_a)))))
        if not taken:
            _insert(session, batch)
        return taken


def _insert(session: Session, batch: Batch) -> None:
    """Writes what came in as claims, in the order of the keys: random ones would touch every page of the index on them.

    There is no index by person: a batch of a million claims would hold the ledger's lock for minutes, and a halt must not wait.
    """
    fixed = [literal(batch.requester), literal(batch.agreement), literal(batch.name)]
    columns = ["requester", "agreement", "batch", "request_key", "person_key"]
    session.execute(insert(Claim).from_select(columns, select(*fixed, _a, _b).order_by(_a)))


def release(session: Session, batch: Batch) -> None:
    """Gives the claims of a batch back, which did not leave. Its event of being prepared keeps their digest."""
    session.execute(delete(Claim).where(Claim.batch == batch.name))


def claims_digest(session: Session, batch: str) -> tuple[int, str]:
    """How many claims a batch has, and SHA-256 over them, sorted. Streams."""
    total, rows = hashlib.sha256(), 0
    query = select(Claim.request_key, Claim.person_key).where(Claim.batch == batch).order_by(Claim.request_key)
    for request_key, person_key in session.execute(query.execution_options(yield_per=20_000)):
        total.update(f"{request_key}|{person_key}\n".encode())
        rows += 1
    return rows, total.hexdigest()


@contextmanager
def incoming(session: Session, pairs: Pairs) -> Iterator[int]:
    """Loads pairs of keyed hashes into the temporary table `incoming` (a, b) for a while; gives their number."""
    data = _tuples(pairs)
    connection = session.connection()
    connection.exec_driver_sql("DROP TABLE IF EXISTS incoming")  # left by a transaction that failed
    connection.exec_driver_sql("CREATE TEMPORARY TABLE incoming (a VARCHAR(64) NOT NULL, b VARCHAR(64) NOT NULL)")
    if _is_postgresql(session):
        _copy(connection.connection.driver_connection, data)
    elif data:
        connection.exec_driver_sql("INSERT INTO incoming VALUES (?, ?)", data)
    yield len(data)
    connection.exec_driver_sql("DROP TABLE incoming")


def _tuples(pairs: Pairs) -> list[tuple[str, str]]:
    if isinstance(pairs, pa.Table):
        pairs = zip(pairs.column(0).to_pylist(), pairs.column(1).to_pylist(), strict=True)
    data: list[tuple[str, str]] = list(pairs)
    for a, b in data:
        if not (facts.DIGEST.match(a or "") and facts.DIGEST.match(b or "")):
            raise Fault("UNSAFE_KEY", "the ledger takes keyed hashes only, 64 hexadecimal digits each")
    return data


def _copy(driver: object, data: list[tuple[str, str]]) -> None:
    import psycopg

    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy("COPY incoming (a, b) FROM STDIN") as copy:
            copy.write("".join(f"{a}\t{b}\n" for a, b in data))
    except psycopg.Error as error:
        raise Fault("LEDGER_BROKEN", f"the ledger's database failed: {type(error).__name__}") from None


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
