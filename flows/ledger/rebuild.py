"""`ledger verify`: plays all events over an empty database, and compares every column of every table with the live one.

What an event has by digest only is taken from the live row where it fits. Tables of millions of rows are compared by
the digest for each batch or case (`flows.ledger.bulk`). Values that events of an older version did not say are proven
by a baseline.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Column, Engine, MetaData, Select, Table, create_engine, select, type_coerce
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.pool import NullPool
from sqlalchemy.types import NullType

from expectations.base import algorithms
from expectations.base.algorithms import FIRST, HASHES, Scheme
from expectations.base.digests import canonical_json
from expectations.base.errors import SluicegateError
from flows.ledger import compared, events
from flows.ledger.bulk import BULK, TRIES, Bulk
from flows.ledger.chain import GENESIS, Link, Problem
from flows.ledger.database.models import (
    Base,
    Batch,
    Decided,
    Enrolled,
    Halt,
    HomeKey,
    Operator,
    OperatorKey,
    RecallCase,
    Restoration,
    Seal,
    Signature,
    Snooze,
)
from flows.ledger.events.base import AT_THE_DOOR, UNKNOWN, Kind, is_content
from flows.ledger.tables import Row, Tables

_COMMIT = 1_000  # events after which what they changed goes into the database: memory stays bounded
# How people call a row of each table, by its key.
PLACES: Mapping[type[Base], str] = {
    Batch: "batch {}",
    Decided: "decision {}",
    Signature: "signature of event {} by {}",
    Enrolled: "instrument {}",
    Operator: "operator {}",
    OperatorKey: "operators' key {}",
    Halt: "halt {}",
    RecallCase: "recall case {}",
    HomeKey: "key {1} of event {0}",
    Restoration: "restoration {}",
    Seal: "digest of the {} of {}",
    Snooze: "snooze of {}",
}


def verify(live: Session, links: Iterable[Link]) -> Iterator[Problem]:
    """Every event that cannot stand where it does, and every row that is not what the events say. Streams."""
    with _scratch(live) as rebuilt:
        yield from rebuilt.play(links)
        columns = sorted(rebuilt.columns | ({"tries"} if rebuilt.unsaid_tries() else set()))
        if columns:  # an operator must vouch for values that the events did not say
            what = f"events of an older version do not say {', '.join(columns)}"
            yield Problem("baseline", f"{what}: sign it once, with sluicegate ledger baseline --key KEY")
        for model in PLACES:
            yield from compared.rows(model, PLACES[model], live, rebuilt.session)
        for bulk in BULK:
            yield from compared.bulk(bulk, live, rebuilt.bulk[bulk])
        unfinished = select(Batch.name).where(Batch.evidence == Kind.SHREDDING.value).order_by(Batch.name)
        for name in rebuilt.session.scalars(unfinished):
            yield Problem(f"evidence of batch {name}", "its shredding did not end: run sluicegate shred again")


def impossible(links: Iterable[Link]) -> list[Problem]:
    """Every event that cannot have followed those before it: what can be known of a chain without the tables."""
    with _scratch(None) as rebuilt:
        return list(rebuilt.play(links))


def unsaid(live: Session, links: Iterable[Link]) -> tuple[dict[str, str], tuple[tuple[str, int, str], ...]]:
    """What a baseline would have to say now: digest by table, and (batch, rows, digest) of tries."""
    with _scratch(live) as rebuilt:
        for _problem in rebuilt.play(links):
            pass
        tries = tuple((name, *TRIES.digest(live, name)) for name in rebuilt.unsaid_tries())
        return rebuilt.values(algorithms.in_force()), tries


@contextmanager
def _scratch(live: Session | None) -> Iterator[Rebuilt]:
    """An empty database in memory, with the ledger's tables but none of their rules: all that events say goes in."""
    with _memory().connect() as connection, Session(connection, expire_on_commit=False) as session:
        _bare().create_all(connection)
        yield Rebuilt(session, live)


@cache
def _memory() -> Engine:
    """Each of its connections is a database of its own. All share the statements that it has compiled."""
    return create_engine("sqlite://", poolclass=NullPool)


@cache
def _bare() -> MetaData:
    bare = MetaData()
    for table in Base.metadata.tables.values():
        Table(table.name, bare, *(Column(c.name, c.type, primary_key=c.primary_key) for c in table.columns))
    return bare


class Rebuilt(Tables):
    """The tables as the events make them. `live`: where contents are looked up; None: nowhere."""

    def __init__(self, session: Session, live: Session | None) -> None:
        self.session, self.live = session, live
        self.bulk: dict[Bulk, dict[str, tuple[int | None, str, Scheme] | None]] = {bulk: {} for bulk in BULK}
        self._nonce = secrets.token_hex(8)  # so that nobody can write what stands for an unknown content
        self._recent: deque[Base | None] = deque(maxlen=1_000)  # rows that the session need not read again
        self._unsaid: dict[str, dict[Scheme, Any]] = {}
        self.columns: set[str] = set()
        self._wrong: list[str] = []
        self.kinds_for_home: set[str] = set()
        self._first, self._at = GENESIS, ""
        self._newest = (0, GENESIS)  # of what is no look at a page
        self._before: str | None = None  # the kind of the event before

    def play(self, links: Iterable[Link]) -> Iterator[Problem]:
        """Applies the events one after the other; gives what is wrong with them."""
        for link in links:
            self.place, place = link, f"event {link.seq}"
            yield from self._in_time(link)
            try:
                event = events.read(link.kind, link.facts)
                yield from (Problem(place, reason) for reason in event.wrong(self))
                event.apply(self)
                if getattr(event, "home", None) is not None:
                    self.homes_are_named = True
                    self.kinds_for_home.add(link.kind)
                if link.seq % _COMMIT == 0:
                    self.session.commit()
            except events.UnknownKind:
                yield Problem(place, "this version knows no such kind of event")
            except (ValueError, KeyError, TypeError, AttributeError, SQLAlchemyError, SluicegateError):
                if not self.session.is_active:
                    self.session.rollback()
                yield Problem(place, "what it says cannot be read, or does not follow from the events before it")
            yield from (Problem(place, reason) for reason in self._wrong)
            self._wrong.clear()
            self._before = link.kind
            if link.kind not in AT_THE_DOOR:
                self._newest = (link.seq, link.hash)

    def _in_time(self, link: Link) -> Iterator[Problem]:
        """Time goes forward from the first event of a version that saw to it; but where people set the clock right."""
        if self._first == GENESIS:
            self._first = link.hash
        if self.homes_are_named and link.kind != Kind.CLOCK and link.at < self._at:
            yield Problem(f"event {link.seq}", "its time lies before that of the event before it")
        self._at = link.at

    @property
    def home(self) -> str:
        return self._first if self.place.seq > 1 else GENESIS

    def newest_but(self, kinds: Collection[str]) -> tuple[int, str]:
        return self._newest

    def kind_before(self) -> str | None:
        return self._before

    def rows_of(self, bulk: Bulk, owner: str) -> int | None:
        said = self.bulk[bulk].get(owner, (0, "", FIRST))
        return said[0] if said else None

    def has(self, bulk: Bulk) -> bool:
        return any(said is None or said[0] for said in self.bulk[bulk].values())

    def find(self, model: type[Row], key: Any) -> Row | None:
        found = super().find(model, key)
        self._recent.append(found)
        return found

    def content(self, column: InstrumentedAttribute[Any], key: Any, digest: str) -> Any:
        kind = column.type.python_type
        value = self._live(column, key)
        if isinstance(value, kind) and is_content(value, digest, key=column.key == "key_line"):
            return value
        return self._unknown(digest) if kind is str else self._unknown(digest).encode()

    def unsaid(self, column: InstrumentedAttribute[Any], key: Any, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        value, table = self._live(column, key), column.class_.__tablename__
        totals = self._unsaid.setdefault(table, {scheme: make() for scheme, make in HASHES.items()})
        for total in totals.values():  # by which of them a baseline says it is not known yet
            total.update(canonical_json([column.key, key, value]))
        self.columns.add(f"{table}.{column.key}")
        try:
            good = value is not None and fits(value)
        except (ValueError, TypeError, AttributeError):
            good = False
        return value if good else self._unknown("")

    def put(self, bulk: Bulk, owner: str, rows: int | None, digest: str | None, **fixed: str) -> None:
        self.bulk[bulk][owner] = (rows, digest, self._scheme) if digest else None

    def carry(self, bulk: Bulk, owner: str, rows: int, digest: str, **fixed: str) -> None:
        if self.bulk[bulk].get(owner) is not None:  # what nobody has vouched for is not proven by being carried over
            self.put(bulk, owner, rows, digest)

    def clear(self, bulk: Bulk, owners: Collection[str] | Select[Any]) -> None:
        for owner in self.session.scalars(owners) if isinstance(owners, Select) else owners:
            self.bulk[bulk].pop(owner, None)

    def baseline(self, values: Mapping[str, str], tries: Iterable[tuple[str, int, str]]) -> None:
        mine = self.values(self._scheme)
        if self.live is not None:
            what = "that older events did not say are not those that were signed"
            wrong = sorted(t for t in mine.keys() | values.keys() if mine.get(t) != values.get(t))
            self._wrong += [f"values of {table} {what}" for table in wrong]
        self._unsaid, self.columns = {}, set()
        unsaid = self.unsaid_tries()
        self.bulk[TRIES].update({name: (rows, digest, self._scheme) for name, rows, digest in tries if name in unsaid})

    def values(self, scheme: Scheme) -> dict[str, str]:
        """A digest by table of the values that the events did not say, since the last baseline."""
        return {table: totals[scheme].hexdigest() for table, totals in sorted(self._unsaid.items())}

    @property
    def _scheme(self) -> Scheme:
        """The algorithm of the event: of its hash, and of the digests that were worked out for it."""
        return Scheme(self.place.scheme or FIRST)

    def unsaid_tries(self) -> list[str]:
        """The batches whose events did not say what their tries are."""
        return sorted(name for name, said in self.bulk[TRIES].items() if said is None)

    def _live(self, column: InstrumentedAttribute[Any], key: Any) -> Any:
        if self.live is None:
            return None
        keys = key if isinstance(key, tuple) else (key,)
        here = (c == k for c, k in zip(column.class_.__table__.primary_key, keys, strict=True))
        return self.live.scalar(select(type_coerce(column, NullType())).where(*here))

    def _unknown(self, digest: str) -> str:
        return f"{UNKNOWN}{self._nonce}:{digest}"
