"""What the ledger knows of its home: the fingerprints of its keys, and the clock that people set right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base import algorithms, signatures
from expectations.base.algorithms import Scheme
from expectations.base.errors import Fault, Usage
from expectations.base.keyed import Generation
from flows.ledger import chain, facts
from flows.ledger.carrying import carry_over, require_successor
from flows.ledger.core import Core, home_id
from flows.ledger.database.models import Claim, HomeKey, KeyName, Time, Try, as_record, stamp
from flows.ledger.events.base import AT_THE_DOOR
from flows.ledger.events.home import (
    ASKED,
    ClockSet,
    KeysKnown,
    Rehashed,
    Ticked,
    clock_message,
    keys_message,
    scheme_message,
)
from flows.ledger.roles import Act
from flows.ledger.signing import SignedBy, signed_by, signed_by_two
from flows.ledger.timing import day_begins, newest_time

Keys = Sequence[tuple[KeyName, str]]
_QUIET = timedelta(days=1)  # after so long without any event the nightly run leaves one
_DAYS_SIGNED = 7  # so long after the day that was signed the clock may still be set by it


@dataclass(frozen=True)
class KnownKey:
    """A key that the home has, as the ledger knows it."""

    seq: int
    name: KeyName
    fingerprint: str
    at: Time


@dataclass(frozen=True)
class TimeNow:
    """What this machine's clock says, when the newest event was, and why the two do not fit; None if they do."""

    machine: datetime
    newest: datetime | None
    wrong: str | None

    @property
    def shown(self) -> datetime:
        """The time that whoever looks sees: that of the newest event where this machine's clock is wrong."""
        return self.newest if self.wrong and self.newest else self.machine


class Homes(Core):
    """The keys and the clock of the home."""

    def home_id(self) -> str:
        """What this home is called in what operators sign."""
        with self.reading() as session:
            return home_id(session)

    def known_keys(self) -> tuple[KnownKey, ...]:
        """The keys that the home has; none if nobody has told the ledger yet."""
        with self.reading() as session:
            return _known(session)

    def keys_in_use(self) -> bool:
        """Whether requests are claimed, or tries counted, with the key of the keyed hashes."""
        with self.reading() as session:
            return _in_use(session)

    def hashes_in_use(self) -> bool:
        """Whether anything is hashed with the key of the keyed hashes that must be recognised again: what batches
        asked for, whatever became of them, tried or disclosed."""
        with self.reading() as session:
            return _relied_on(session)

    def keys_message(self, keys: Keys, carried: Scheme | None = None) -> bytes:
        """What operators sign (namespace signatures.KEYS) to say that the home has these keys from now on. `carried`:
        the algorithm by which the keyed hashes are carried over to another key."""
        with self.reading() as session:
            return keys_message(_sorted(keys), _after(_known(session)), home_id(session), carried)

    def record_keys(
        self, keys: Keys, signed: Mapping[str, str] | None = None, successor: Generation | None = None
    ) -> bool:
        """Records which keys the home has; False if the ledger knows exactly these already.

        Unsigned where nothing rests on keys yet. One operator's signature over `keys_message` where an older version
        made claims, two for a change. `successor`: the generation that the key of the keyed hashes has more than the
        ledger knows; all keyed hashes in the ledger are carried over to it, while everybody else waits. Raises Usage or
        BadInput if signatures are missing or do not count, and Usage if the key of the keyed hashes would become
        another while it is in use, or a batch is under way.
        """
        given = _sorted(keys)
        with self.transaction() as session:
            known = _known(session)
            before = _sorted([(k.name, k.fingerprint) for k in known])
            if given == before:
                return False
            over = None
            if before and _hash_of(before) != _hash_of(given) and _relied_on(session):
                over = require_successor(session, successor, _hash_of(before), _hash_of(given))
            scheme = over.scheme if over else None
            by, contents = self._signed_keys(session, known, given, scheme, signed or {})
            event = KeysKnown(keys=given, after=_after(known), home=home_id(session), signed=by, carried=scheme)
            seq = self.append(session, None, event, contents)
            if over:
                carry_over(self.append, session, seq, over)
        return True

    def _signed_keys(
        self,
        session: Session,
        known: tuple[KnownKey, ...],
        keys: Keys,
        carried: Scheme | None,
        signed: Mapping[str, str],
    ) -> tuple[tuple[SignedBy, ...], dict[str, str]]:
        text = keys_message(_sorted(keys), _after(known), home_id(session), carried)
        if known:
            return signed_by_two(session, text, signed, signatures.KEYS, Act.HOME)
        if not _in_use(session):
            return (), {}
        if not signed:
            what = "requests are claimed with the keys of this home, and no operator has vouched for the keys"
            raise Usage("KEYS_UNVOUCHED", what, remedy="sluicegate keys show says what to do.")
        where, signature = next(iter(signed.items()))
        given = signed_by(session, text, signature, signatures.KEYS, where, Act.HOME)
        return (given.named,), given.contents

    def time_now(self) -> TimeNow:
        """How this machine's clock stands to the newest event."""
        with self.reading() as session:
            newest = newest_time(session)
        try:
            self.clock.now()
        except Fault as error:
            return TimeNow(self.clock.machine(), newest, error.code)
        return TimeNow(self.clock.machine(), newest, None)

    def clock_message(self, day: date) -> bytes:
        """What two operators sign (namespace signatures.CLOCK) to say that it is this day (UTC), whatever the newest
        event says."""
        with self.reading() as session:
            head = chain.head_but(session, AT_THE_DOOR)
            return clock_message(_number(day), head.seq, head.hash, home_id(session))

    def set_clock(self, day: date, signed: Mapping[str, str]) -> int:
        """Lets time go on from this machine's clock; gives the event's number. Raises Usage or BadInput if the
        signatures are missing or do not count, or if this machine's clock is at another day than was signed."""
        now = self.clock.machine()
        if not timedelta(0) <= now - day_begins(day) < timedelta(days=_DAYS_SIGNED):
            what = f"this machine's clock is at {now:%Y-%m-%d} (UTC), and {day} was signed"
            raise Usage("CLOCK_OTHER_DAY", what, remedy="Set the clock right, or sign the day that it is.")
        with self.transaction() as session:
            head, home = chain.head_but(session, AT_THE_DOOR), home_id(session)
            text = clock_message(_number(day), head.seq, head.hash, home)
            by, contents = signed_by_two(session, text, signed, signatures.CLOCK, Act.HOME)
            event = ClockSet(day=_number(day), after=head.seq, head=head.hash, home=home, signed=by)
            return self.append(session, None, event, contents, at=stamp(now))

    def scheme(self) -> Scheme:
        """The algorithm that events are hashed with now."""
        with self.reading() as session:
            return chain.scheme_of(session)

    def scheme_message(self, scheme: Scheme) -> bytes:
        """What two operators sign (namespace signatures.SCHEME) to have events hashed with this from now on."""
        with self.reading() as session:
            head = chain.head_but(session, AT_THE_DOOR)
            return scheme_message(scheme, head.seq, head.hash, home_id(session))

    def rehash(self, scheme: Scheme, signed: Mapping[str, str]) -> int:
        """Hashes events with another algorithm from here on, and all that there are with it once more; digests that
        prove something are made by it, too. Gives the event's number. Raises Usage or BadInput if the signatures are
        missing or do not count, or if it is the same."""
        with self.transaction() as session:
            if scheme is chain.scheme_of(session):
                raise Usage("SAME_SCHEME", "events are hashed with this algorithm already", where=scheme)
            head, home = chain.head_but(session, AT_THE_DOOR), home_id(session)
            text = scheme_message(scheme, head.seq, head.hash, home)
            with algorithms.using(scheme):  # what the event has by digest, it has by its own algorithm
                by, contents = signed_by_two(session, text, signed, signatures.SCHEME, Act.HOME)
            past = chain.Past()
            for one in chain.events(session):
                past.add(one)
            whole = past.digest(scheme)
            event = Rehashed(scheme=scheme, past=whole, after=head.seq, head=head.hash, home=home, signed=by)
            seq = self.append(session, None, event, contents)
        algorithms.use(scheme)
        return seq

    def tick(self) -> bool:
        """Leaves an event if there was none for a day: a home that has nothing to do needs no signature."""
        with self.transaction() as session:
            newest = newest_time(session)
            if newest is None or self.clock.machine() - newest < _QUIET:
                return False
            self.append(session, None, Ticked())
            return True


def _known(session: Session) -> tuple[KnownKey, ...]:
    newest = session.scalar(select(func.max(HomeKey.seq)))
    rows = session.scalars(select(HomeKey).where(HomeKey.seq == newest).order_by(HomeKey.name, HomeKey.fingerprint))
    return tuple(as_record(KnownKey, row) for row in rows) if newest else ()


def _in_use(session: Session) -> bool:
    return any(session.scalar(select(model.batch).limit(1)) is not None for model in (Claim, Try))


def _relied_on(session: Session) -> bool:
    return _in_use(session) or session.scalar(ASKED) is not None


def _hash_of(keys: Keys) -> str:
    return next(fingerprint for name, fingerprint in keys if name is KeyName.HASH)


def _after(known: Sequence[KnownKey]) -> int:
    return known[0].seq if known else 0


def _sorted(keys: Keys) -> tuple[tuple[KeyName, str], ...]:
    return tuple(sorted((KeyName(name), facts.digest(fingerprint, name)) for name, fingerprint in keys))


def _number(day: date) -> int:
    return int(f"{day:%Y%m%d}")
