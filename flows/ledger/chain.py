"""The audit chain: each event holds the hash of the one before, so that no event can be changed, dropped, put in or
moved.

What a chain alone cannot show is that its end was cut off, or that all of it was written anew: that takes marks kept
elsewhere, such as a head (`verify(…, head=…)`) or a signed head (`flows.audit.signed_heads`).
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.base.algorithms import FIRST, HASHES, Scheme, digest
from expectations.base.digests import canonical_json
from expectations.base.merkle import Tree, leaf
from flows.ledger.database.models import Event

GENESIS = "0" * 64
REHASHED = "rehashed"  # the kind of the event that changes the scheme


@dataclass
class Line:
    """An event, as a line of an export."""

    seq: int
    at: str
    batch: str | None
    kind: str
    facts: str
    previous: str
    hash: str
    scheme: str | None = None  # of the hash; what an older version exported has none


Link: TypeAlias = Event | Line  # an event as the chain sees it


@dataclass(frozen=True)
class Problem:
    """Something that does not fit. `place`: an event, batch, decision, instrument, signed head or sealed file."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True)
class Head:
    """The newest event: sequence number and hash."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Mark:
    """What somebody vouches for, outside of the chain: an event's hash, and the Merkle root over those up to it."""

    name: str
    seq: int
    hash: str
    root: str | None = None


def event_hash(event: Link) -> str:
    """By the event's scheme, over all that it says, the scheme, and the hash of the event before. Raises ValueError if
    this version does not know the scheme."""
    return digest(Scheme(event.scheme or FIRST), _said(event))


def _said(event: Link) -> bytes:
    said = [event.seq, event.at, event.batch, event.kind, event.facts, event.previous]
    return canonical_json(said if event.scheme is None else [*said, event.scheme])


def head(session: Session) -> Head:
    """The newest event; Head(0, GENESIS) of an empty ledger."""
    last = session.execute(select(Event.seq, Event.hash).order_by(Event.seq.desc()).limit(1)).first()
    return Head(last.seq, last.hash) if last else Head(0, GENESIS)


def head_but(session: Session, kinds: Collection[str], before: int | None = None) -> Head:
    """The newest event of another kind than these; before event number `before`, if it is given."""
    query = select(Event.seq, Event.hash).where(Event.kind.not_in(kinds)).order_by(Event.seq.desc()).limit(1)
    last = session.execute(query if before is None else query.where(Event.seq < before)).first()
    return Head(last.seq, last.hash) if last else Head(0, GENESIS)


def first_hash(session: Session, before: int | None = None) -> str:
    """The hash of the first event, which names the home: it is made from keys and a time that no other home has.

    GENESIS if there is none yet, or none before event number `before`.
    """
    first = session.scalar(select(Event.hash).where(Event.seq == 1)) if before is None or before > 1 else None
    return first or GENESIS


def newest(session: Session, batch: str, kind: str) -> Event | None:
    """The newest event of this kind of a batch, if it has one."""
    query = select(Event).where(Event.batch == batch, Event.kind == kind).order_by(Event.seq.desc())
    return session.scalar(query.limit(1))


def append(session: Session, at: str, batch: str | None, kind: str, facts: str, scheme: Scheme | None = None) -> Event:
    """Adds an event (`facts`: checked canonical JSON) and gives it. The transaction must hold the lock. `scheme`: from
    here on events are hashed with it; if left out, with that of the event before."""
    before = head(session)
    named = scheme or session.scalar(select(Event.scheme).where(Event.seq == before.seq))
    event = Event(seq=before.seq + 1, at=at, batch=batch, kind=kind, facts=facts, previous=before.hash, scheme=named)
    event.hash = event_hash(event)
    session.add(event)
    session.flush()
    return event


def events(session: Session, after: int = 0) -> Iterator[Event]:
    """All events after the one of that number, in their order, in bounded memory."""
    query = select(Event).where(Event.seq > after).order_by(Event.seq)
    for event in session.scalars(query.execution_options(yield_per=5_000)):
        yield event
        session.expunge(event)


def scheme_of(session: Session) -> Scheme:
    """What the newest event is hashed with."""
    return Scheme(session.scalar(select(Event.scheme).order_by(Event.seq.desc()).limit(1)) or FIRST)


def scheme_at(session: Session, seq: int) -> Scheme:
    """What an event is hashed with."""
    return Scheme(session.scalar(select(Event.scheme).where(Event.seq == seq)) or FIRST)


def in_force(session: Session) -> Scheme:
    """What digests are made by: the same; the first, where this version does not know that name (`check_links` says
    so)."""
    try:
        return scheme_of(session)
    except ValueError:
        return FIRST


class Past:
    """All that events said, hashed anew by every scheme: what a change of the scheme vouches for, so that no weakness
    of an earlier one reaches back before it."""

    def __init__(self) -> None:
        self._totals = {scheme: make() for scheme, make in HASHES.items()}

    def add(self, event: Link) -> None:
        """Goes on with the next event."""
        said = _said(event)
        for total in self._totals.values():
            total.update(len(said).to_bytes(8, "big") + said)

    def digest(self, scheme: Scheme) -> str:
        """Of all events so far."""
        return str(self._totals[scheme].hexdigest())


class _Schemes:
    """The schemes of a chain, as it is read."""

    def __init__(self) -> None:
        self._now: str | None = None
        self._past = Past()

    def wrong(self, event: Link) -> Iterator[str]:
        """What is wrong with an event's hash, and with the scheme that it names."""
        if event.kind == REHASHED:
            yield from self._changed(event)
        elif event.scheme != self._now:
            yield "it names another algorithm of its hash than the chain has here"
        try:
            if event_hash(event) != event.hash:
                yield "it was changed"
        except ValueError:
            yield "this version does not know the algorithm of its hash"
        self._now = event.scheme
        self._past.add(event)

    def _changed(self, event: Link) -> Iterator[str]:
        try:
            said = json.loads(event.facts)
            if said["scheme"] != event.scheme or said["past"] != self._past.digest(Scheme(said["scheme"])):
                yield "the events before it are not those that it vouches for, by another algorithm"
        except (ValueError, KeyError, TypeError, RecursionError):
            yield "it does not say which algorithm hashes from here on"


def check_links(links: Iterable[Link], marks: Sequence[Mark] = ()) -> Iterator[Problem]:
    """Every place where a chain is broken, or is not what the marks say. Streams."""
    before, schemes = Head(0, GENESIS), _Schemes()
    left, since = sorted((m for m in marks if m.seq > 0), key=lambda m: m.seq), "up to here"
    trees = {scheme: Tree(scheme) for scheme in Scheme} if any(m.root for m in left) else {}
    for event in links:
        place = f"event {event.seq}"
        if event.seq != before.seq + 1:
            yield Problem(place, f"the {event.seq - before.seq - 1} events before it are missing")
        if event.previous != before.hash:
            yield Problem(place, "it does not follow the event before it: dropped, put in or moved")
        yield from (Problem(place, what) for what in schemes.wrong(event))
        before = Head(event.seq, event.hash)
        for scheme, tree in trees.items():
            tree.add(leaf(event.hash, scheme))
        while left and left[0].seq <= before.seq:
            mark = left.pop(0)
            if (mark.seq, mark.hash) != (before.seq, before.hash):
                yield Problem(f"event {mark.seq}", f"the chain was written anew {since}: {mark.name} says otherwise")
            elif mark.root is not None and mark.root != _root(trees, event):
                yield Problem(f"event {mark.seq}", f"an event before it is not what {mark.name} vouches for")
            else:
                since = f"between event {mark.seq} and this one ({mark.name} fits)"
    for mark in left:
        yield Problem(f"event {mark.seq}", f"the chain ends at event {before.seq}, before it: {mark.name} saw more")


def _root(trees: Mapping[Scheme, Tree], event: Link) -> str | None:
    """The root up to this event, by its own algorithm, as whoever signs a head works it out."""
    try:
        return trees[Scheme(event.scheme or FIRST)].root()
    except ValueError:
        return None
