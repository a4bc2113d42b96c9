"""The audit chain: each event holds the hash of the one before, so that no event can be changed, dropped, put in or moved.

What a chain alone cannot show is that its end was cut off, or that all of it was written anew: compare `head` with one kept
elsewhere (`verify(…, head=…)`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.digests import of_json
from flows.ledger.models import Event

GENESIS = "0" * 64


@dataclass(frozen=True)
class Problem:
    """Something in the ledger that does not fit. `place`: an event, batch, decision or instrument."""

    place: str
    what: str


@dataclass(frozen=True)
class Head:
    """The newest event: sequence number and hash."""

    seq: int
    hash: str


def event_hash(event: Event) -> str:
    """SHA-256 over all that the event says, and over the hash of the event before."""
    return of_json([event.seq, event.at, event.batch, event.kind, event.facts, event.previous])


def head(session: Session) -> Head:
    """The newest event; Head(0, GENESIS) of an empty ledger."""
    last = session.execute(select(Event.seq, Event.hash).order_by(Event.seq.desc()).limit(1)).first()
    return Head(last.seq, last.hash) if last else Head(0, GENESIS)


def append(session: Session, at: str, batch: str | None, kind: str, facts: str) -> int:
    """Adds an event (`facts`: checked canonical JSON) and gives its number. The transaction must hold the lock."""
    before = head(session)
    event = Event(seq=before.seq + 1, at=at, batch=batch, kind=kind, facts=facts, previous=before.hash)
    event.hash = event_hash(event)
    session.add(event)
    session.flush()
    return event.seq


def events(session: Session) -> Iterator[Event]:
    """All events in their order, in bounded memory."""
    for event in session.scalars(select(Event).order_by(Event.seq).execution_options(yield_per=5_000)):
        yield event
        session.expunge(event)


def verify_links(session: Session, expected: Head | None = None) -> list[Problem]:
    """Every place where the chain is broken; empty if it is whole. `expected`: a head noted earlier, kept elsewhere."""
    problems: list[Problem] = []
    before, met = Head(0, GENESIS), expected is None or expected.seq == 0
    for event in events(session):
        place = f"event {event.seq}"
        if event.seq != before.seq + 1:
            problems.append(Problem(place, f"the {event.seq - before.seq - 1} events before it are missing"))
        if event.previous != before.hash:
            problems.append(Problem(place, "it does not follow the event before it: dropped, put in or moved"))
        if event_hash(event) != event.hash:
            problems.append(Problem(place, "it was changed"))
        before = Head(event.seq, event.hash)
        if expected is not None and event.seq == expected.seq:
            met = event.hash == expected.hash
    if not met and expected is not None:
        what = "the chain ends before it" if before.seq < expected.seq else "the chain was written anew up to here"
        problems.append(Problem(f"event {expected.seq}", what))
    return problems
