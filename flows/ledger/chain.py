"""The audit chain: each event holds the hash of the one before, so that no event can be changed, dropped, put in or
moved.

What a chain alone cannot show is that its end was cut off, or that all of it was written anew: that takes marks kept
elsewhere, such as a head (`verify(…, head=…)`) or a signed head (`flows.audit.signed_heads`).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.base.digests import of_json
from expectations.base.merkle import Tree, leaf
from flows.ledger.database.models import Event

GENESIS = "0" * 64


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
    """SHA-256 over all that the event says, and over the hash of the event before."""
    return of_json([event.seq, event.at, event.batch, event.kind, event.facts, event.previous])


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


def append(session: Session, at: str, batch: str | None, kind: str, facts: str) -> Event:
    """Adds an event (`facts`: checked canonical JSON) and gives it. The transaction must hold the lock."""
    before = head(session)
    event = Event(seq=before.seq + 1, at=at, batch=batch, kind=kind, facts=facts, previous=before.hash)
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


def check_links(links: Iterable[Link], marks: Sequence[Mark] = ()) -> Iterator[Problem]:
    """Every place where a chain is broken, or is not what the marks say. Streams."""
    before, tree = Head(0, GENESIS), Tree()
    left, since = sorted((m for m in marks if m.seq > 0), key=lambda m: m.seq), "up to here"
    for event in links:
        place = f"event {event.seq}"
        if event.seq != before.seq + 1:
            yield Problem(place, f"the {event.seq - before.seq - 1} events before it are missing")
        if event.previous != before.hash:
            yield Problem(place, "it does not follow the event before it: dropped, put in or moved")
        if event_hash(event) != event.hash:
            yield Problem(place, "it was changed")
        before = Head(event.seq, event.hash)
        tree.add(leaf(event.hash))
        while left and left[0].seq <= before.seq:
            mark = left.pop(0)
            if (mark.seq, mark.hash) != (before.seq, before.hash):
                yield Problem(f"event {mark.seq}", f"the chain was written anew {since}: {mark.name} says otherwise")
            elif mark.root not in (None, tree.root()):
                yield Problem(f"event {mark.seq}", f"an event before it is not what {mark.name} vouches for")
            else:
                since = f"between event {mark.seq} and this one ({mark.name} fits)"
    for mark in left:
        yield Problem(f"event {mark.seq}", f"the chain ends at event {before.seq}, before it: {mark.name} saw more")
