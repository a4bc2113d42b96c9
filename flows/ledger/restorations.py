"""A ledger that came out of a backup: closed until two operators say what they know of the time after the backup.

What left in that time, a restored ledger cannot know. Unless the operators know that nothing happened after the backup,
nothing leaves any more under the agreements that were enrolled by then: their requests may have been answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.errors import Usage
from flows.ledger import chain, facts
from flows.ledger.core import Core, home_id
from flows.ledger.database.models import Enrolled, Event, Restoration, Time, as_record
from flows.ledger.events.base import AT_THE_DOOR, Kind, read
from flows.ledger.events.restored import Opened, Restored, opening_message
from flows.ledger.roles import Act
from flows.ledger.signing import signed_by_two


@dataclass(frozen=True)
class RestorationRecord:
    """A restoration, as the table has it."""

    seq: int
    at: Time
    backup: str
    head: str
    opened_at: Time | None
    complete: bool | None


@dataclass(frozen=True)
class Outside:
    """What two operators vouch for when they open a restored home: see `flows.ledger.events.restored.Opened`."""

    newest: str | None = None
    lost: tuple[tuple[int, str], ...] = ()
    forgotten: tuple[str, ...] = ()


class Restorations(Core):
    """Restorations of this ledger."""

    def restorations(self) -> list[RestorationRecord]:
        """All of them, oldest first."""
        with self.reading() as session:
            rows = session.scalars(select(Restoration).order_by(Restoration.seq))
            return [as_record(RestorationRecord, row) for row in rows]

    def require_open(self) -> None:
        """Raises Usage while a restored home has not been opened: then nothing is received, decided or signed."""
        with self.reading() as session:
            if closed(session):
                what = "this home was restored from a backup, and nobody has opened it"
                raise Usage("RESTORED_CLOSED", what, where="ledger", remedy="See sluicegate restored show.")

    def record_restored(self, session: Session, backup: str) -> int:
        """Closes the home, in the transaction that fills its ledger; gives the event's number. It waits for no clock:
        where this machine's is wrong, the event has the newest one's time."""
        head = chain.head(session)
        event = Restored(backup=facts.digest(backup, "backup"), after=head.seq, head=head.hash)
        return self.append(session, None, event, at=self.stamp_or_newest(session))

    def has_event(self, seq: int, hash: str) -> bool:
        """Whether this chain has an event of this number and hash."""
        with self.reading() as session:
            return session.scalar(select(Event.seq).where(Event.seq == seq, Event.hash == hash)) is not None

    def opening_message(self, outside: Outside) -> bytes:
        """What two operators sign (namespace signatures.OPENING); raises Usage if nothing is to be opened."""
        with self.reading() as session:
            head = chain.head_but(session, AT_THE_DOOR)
            return opening_message(_waiting(session), *_said(outside), (head.seq, head.hash), home_id(session))

    def open_restored(self, outside: Outside, signed: Mapping[str, str]) -> bool:
        """Opens the home; gives whether the ledger is complete. Raises Usage if nothing is to be opened or there are
        not two operators, BadInput if a signature is not over exactly this."""
        newest, lost, forgotten = _said(outside)
        with self.transaction() as session:
            head, restored, home = chain.head_but(session, AT_THE_DOOR), _waiting(session), home_id(session)
            text = opening_message(restored, newest, lost, forgotten, (head.seq, head.hash), home)
            by, contents = signed_by_two(session, text, signed, signatures.OPENING, Act.HOME)
            event = Opened(
                restored=restored,
                newest=newest,
                lost=lost,
                forgotten=forgotten,
                after=head.seq,
                head=head.hash,
                home=home,
                signed=by,
            )
            self.append(session, None, event, contents)
            return bool(session.get_one(Restoration, restored).complete)

    def lost_heads(self) -> frozenset[tuple[int, str]]:
        """Number and hash of each signed head of which operators signed that this chain has lost it."""
        query = select(Event.facts).where(Event.kind == Kind.OPENED.value)
        with self.reading() as session:
            events = [read(Kind.OPENED.value, said) for said in session.scalars(query)]
        return frozenset(head for event in events if isinstance(event, Opened) for head in event.lost)


def closed(session: Session) -> bool:
    """Whether a restoration waits to be opened."""
    return session.scalar(select(Restoration.seq).where(Restoration.opened_at.is_(None)).limit(1)) is not None


def may_have_left(session: Session, agreement: str) -> bool:
    """Whether requests under this agreement may have been answered in a time that the ledger has lost: it was enrolled
    when the backup was made, and nobody knew that nothing happened afterwards."""
    first = select(func.min(Enrolled.seq)).where(Enrolled.id == agreement).scalar_subquery()
    gap = select(Restoration.seq).where(Restoration.complete.is_(False), Restoration.seq > first)
    return session.scalar(gap.limit(1)) is not None


def _waiting(session: Session) -> int:
    newest = select(func.max(Restoration.seq)).where(Restoration.opened_at.is_(None))
    if (seq := session.scalar(newest)) is None:
        raise Usage("NOT_RESTORED", "this home is open: no restoration waits for operators")
    return seq


def _said(outside: Outside) -> tuple[str | None, tuple[tuple[int, str], ...], tuple[str, ...]]:
    newest = facts.digest(outside.newest, "--newest") if outside.newest else None
    return newest, tuple(sorted(set(outside.lost))), tuple(sorted(set(outside.forgotten)))
