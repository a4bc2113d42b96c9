"""Tables of millions of rows, proven by a digest: what a batch, or a case, has in one of them is a count and a digest.

Pairs of keyed hashes come in through a temporary table by the hundred thousand, and go on by SQL.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
from sqlalchemy import String, column, func, insert, literal, select, table
from sqlalchemy.orm import InstrumentedAttribute, Session

from expectations.base import algorithms
from expectations.base.algorithms import HASHES
from expectations.base.errors import Fault
from expectations.base.total import total
from flows.ledger import facts
from flows.ledger.database.models import Base, Batch, Claim, RecallCase, Recalled, Try
from flows.ledger.hashed import Hashed

Pairs: TypeAlias = pa.Table | Iterable[tuple[str, str]]
INCOMING = table("incoming", column("a", String), column("b", String))


@dataclass(frozen=True, eq=False)
class Bulk:
    """One such table: the column of whom its rows are, and the keys that are digested, in their order.

    `place`: how people call the rows of one owner. `owned`: the table of the owners, and the columns that rows share.
    """

    model: type[Base]
    owner: InstrumentedAttribute[str]
    keys: tuple[InstrumentedAttribute[str], ...]
    place: str
    owned: tuple[InstrumentedAttribute[str], tuple[str, ...]]

    @property
    def name(self) -> str:
        return self.model.__tablename__

    def digest(self, session: Session, owner: str) -> tuple[int, str]:
        """How many rows an owner has, and the digest of them, sorted. Streams."""
        query = select(*self.keys).where(self.owner == owner).order_by(*self.keys)
        return digest(session.execute(query.execution_options(yield_per=20_000)))

    def count(self, session: Session, owner: str) -> int:
        """How many rows an owner has."""
        return session.scalar(select(func.count()).where(self.owner == owner)) or 0

    def put(self, session: Session, owner: str, **fixed: str) -> None:
        """Writes what came in as rows of this owner, by key: in another order they would touch all pages of the index.

        No index is by person: a million claims would hold the ledger's lock for minutes, and a halt must not wait.
        """
        given = {self.owner.key: owner, **fixed}
        source = [INCOMING.c.a, INCOMING.c.b][: len(self.keys)]
        rows = select(*(literal(v) for v in given.values()), *source).order_by(*source)
        session.execute(insert(self.model).from_select([*given, *(k.key for k in self.keys)], rows))


_OF_BATCH, _OF_CASE = (Batch.name, ("requester", "agreement")), (RecallCase.id, ("requester", "agreement"))
CLAIMS = Bulk(Claim, Claim.batch, (Claim.request_key, Claim.person_key), "claims of batch", _OF_BATCH)
TRIES = Bulk(Try, Try.batch, (Try.person_key, Try.values_key), "tries of batch", (Batch.name, ()))
RECALLED = Bulk(Recalled, Recalled.case_id, (Recalled.request_key,), "claims of recall case", _OF_CASE)
BY_NAME: Mapping[Hashed, Bulk] = total(Hashed, {Hashed.CLAIMS: CLAIMS, Hashed.TRIES: TRIES, Hashed.RECALLED: RECALLED})
BULK = tuple(BY_NAME.values())


def digest(rows: Iterable[Any]) -> tuple[int, str]:
    """How many rows there are, and the digest of them: the keys of each, between bars, on a line."""
    total, count = HASHES[algorithms.in_force()](), 0
    for row in rows:
        total.update(f"{'|'.join(map(str, row))}\n".encode())
        count += 1
    return count, total.hexdigest()


def pairs_of(pairs: Pairs) -> list[tuple[str, str]]:
    """Pairs of keyed hashes, sorted; raises Fault if one is anything else."""
    if isinstance(pairs, pa.Table):
        pairs = zip(pairs.column(0).to_pylist(), pairs.column(1).to_pylist(), strict=True)
    data: list[tuple[str, str]] = list(pairs)
    for a, b in data:
        if not (facts.DIGEST.match(a or "") and facts.DIGEST.match(b or "")):
            raise Fault("UNSAFE_KEY", "the ledger takes keyed hashes only, 64 hexadecimal digits each")
    data.sort()
    return data


@contextmanager
def incoming(session: Session, data: list[tuple[str, str]]) -> Iterator[None]:
    """Loads pairs (see `pairs_of`) into the temporary table `incoming` (a, b) for a while."""
    connection = session.connection()
    connection.exec_driver_sql("DROP TABLE IF EXISTS incoming")  # of a transaction that failed
    connection.exec_driver_sql("CREATE TEMPORARY TABLE incoming (a VARCHAR(64) NOT NULL, b VARCHAR(64) NOT NULL)")
    load(session, data)
    yield
    connection.exec_driver_sql("DROP TABLE incoming")


def load(session: Session, data: list[tuple[str, str]]) -> None:
    """Loads more pairs into the temporary table `incoming`."""
    connection = session.connection()
    if session.get_bind().dialect.name == "postgresql":
        _copy(connection.connection.driver_connection, data)
    elif data:
        connection.exec_driver_sql("INSERT INTO incoming VALUES (?, ?)", data)


def _copy(driver: object, data: list[tuple[str, str]]) -> None:
    import psycopg

    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy("COPY incoming (a, b) FROM STDIN") as copy:
            copy.write("".join(f"{a}\t{b}\n" for a, b in data))
    except psycopg.Error as error:
        raise Fault("LEDGER_BROKEN", f"the ledger's database failed: {type(error).__name__}") from None
