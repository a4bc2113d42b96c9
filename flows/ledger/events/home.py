"""What the ledger knows of its home: which keys it has, and which day it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.digests import canonical_json
from flows.ledger.bulk import CLAIMS, TRIES
from flows.ledger.database.models import Batch, HomeKey, KeyName
from flows.ledger.events.base import Event, Kind, SignedEvent, Signing, operators, wrong_home, wrong_place
from flows.ledger.lifecycles.states import FINAL, State
from flows.ledger.roles import Act
from flows.ledger.signing import KEYS_NEEDED, SignedBy
from flows.ledger.tables import Tables

ASKED = select(Batch.name).where(Batch.state != State.UNREADABLE.value).limit(1)  # any batch that was taken in
UNDER_WAY = select(Batch.name).where(Batch.state.not_in([state.value for state in FINAL])).order_by(Batch.name)
ONCE = frozenset({KeyName.HASH, KeyName.HOLDER_SIGNING, KeyName.HOLDER_AGE})  # each is there exactly once


@dataclass(frozen=True, kw_only=True)
class KeysKnown(SignedEvent, kinds=[Kind.KEYS]):
    """The keys that the home has from now on, by fingerprint. `after`: the event that said so before; 0: none did.

    Nobody signs while nothing rests on the keys. An operator vouches for them, once, where an older version has made
    claims with them; and two sign for every change. `carried`: the algorithm of the generation that the key of the
    keyed hashes has more than before; what the tables hold is carried over by the events that follow (`Carried`).
    """

    keys: tuple[tuple[KeyName, str], ...]
    after: int
    home: str
    signed: tuple[SignedBy, ...] = ()
    carried: Scheme | None = None

    def signing(self, tables: Tables) -> Signing:
        text = keys_message(self.keys, self.after, self.home, self.carried)
        needed = signatures_needed(tables)
        return Signing(signatures.KEYS, needed, self.signed, operators(tables, self.signed, Act.HOME), text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        before = known_keys(tables)
        if self.after != (before[0].seq if before else 0):
            yield "it does not follow the event that told of the keys before"
        names = [name for name, _ in self.keys if name in ONCE]
        if sorted(names) != sorted(ONCE):
            yield "it does not say each key once"
        was = {row.fingerprint for row in before if row.name == KeyName.HASH}
        other = bool(was) and dict(self.keys).get(KeyName.HASH) not in was
        if other and self.carried is None and hashes_in_use(tables):
            yield "the key of the keyed hashes cannot be another one once batches were taken in with it"
        if self.carried is not None and not other:
            yield "it carries keyed hashes over to no other key"
        if self.carried is not None and tables.session.scalar(UNDER_WAY.limit(1)) is not None:
            yield "a batch was under way while keyed hashes were carried over"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        seq, at = tables.place.seq, tables.place.at
        for name, fingerprint in self.keys:
            row = HomeKey(seq=seq, name=name.value, fingerprint=fingerprint, at=at)
            tables.add(row, (seq, name.value, fingerprint))


def known_keys(tables: Tables) -> list[HomeKey]:
    """The keys that the newest such event before this one told of; none if there is none."""
    return keys_before(tables, tables.place.seq)


def keys_before(tables: Tables, seq: int) -> list[HomeKey]:
    """The keys that the newest such event before the one of this number told of; none if there is none."""
    query = select(HomeKey).where(HomeKey.seq < seq).order_by(HomeKey.seq.desc(), HomeKey.name)
    rows = list(tables.session.scalars(query.limit(100)))
    return [row for row in rows if row.seq == rows[0].seq]


def signatures_needed(tables: Tables) -> int:
    """How many operators sign which keys the home has."""
    if known_keys(tables):
        return KEYS_NEEDED
    return 1 if tables.has(CLAIMS) or tables.has(TRIES) else 0


def hashes_in_use(tables: Tables) -> bool:
    """Whether keyed hashes of requests, officers or persons count: with another key they would not be recognised again.
    Those of what a batch asked for do, whatever became of it."""
    return tables.has(CLAIMS) or tables.has(TRIES) or tables.session.scalar(ASKED) is not None


def keys_message(keys: tuple[tuple[KeyName, str], ...], after: int, home: str, carried: Scheme | None = None) -> bytes:
    """What operators sign (namespace signatures.KEYS): the fields of `KeysKnown`."""
    return canonical_json({"keys": keys, "after": after, "home": home, **({"carried": carried} if carried else {})})


@dataclass(frozen=True, kw_only=True)
class ClockSet(SignedEvent, kinds=[Kind.CLOCK]):
    """Two operators sign which day (YYYYMMDD, UTC) it is, whatever the event before says: time goes on from here.

    After a leap ahead of the newest event; or back, which closes a stretch that a wrong clock dated into the future.
    `after`, `head`: the event before, by number and hash.
    """

    day: int
    after: int
    head: str
    home: str
    signed: tuple[SignedBy, ...]

    def signing(self, tables: Tables) -> Signing:
        text = clock_message(self.day, self.after, self.head, self.home)
        return Signing(signatures.CLOCK, KEYS_NEEDED, self.signed, operators(tables, self.signed, Act.HOME), text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        yield from wrong_place(tables, self.after, self.head)
        if int(f"{datetime.fromisoformat(tables.place.at):%Y%m%d}") < self.day:
            yield "its time lies before the day that was signed"


def clock_message(day: int, after: int, head: str, home: str) -> bytes:
    """What operators sign (namespace signatures.CLOCK): the fields of `ClockSet`."""
    return canonical_json({"day": day, "after": after, "head": head, "home": home})


@dataclass(frozen=True, kw_only=True)
class Rehashed(SignedEvent, kinds=[Kind.REHASHED]):
    """Two operators sign which algorithm the chain is hashed with, from this event on. `past`: all events before it,
    hashed by that algorithm (`chain.Past`); `after`, `head`: the event before, by number and hash."""

    scheme: Scheme
    past: str
    after: int
    head: str
    home: str
    signed: tuple[SignedBy, ...]

    def signing(self, tables: Tables) -> Signing:
        text = scheme_message(self.scheme, self.after, self.head, self.home)
        return Signing(signatures.SCHEME, KEYS_NEEDED, self.signed, operators(tables, self.signed, Act.HOME), text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        yield from wrong_place(tables, self.after, self.head)


def scheme_message(scheme: Scheme, after: int, head: str, home: str) -> bytes:
    """What operators sign (namespace signatures.SCHEME): the fields of `Rehashed`, but for the past, which follows from
    the head."""
    return canonical_json({"scheme": scheme, "after": after, "head": head, "home": home})


@dataclass(frozen=True, kw_only=True)
class Ticked(Event, kinds=[Kind.TICK]):
    """The nightly run was here, and nothing else had happened for a day: so that a quiet home's clock goes on."""
