"""How a sealed package leaves: prepared, moved into the outbox, published; and how a crash in between is repaired.

1. `prepare`, once the batch is accounted for: one transaction asks the law again (`flows.batch.clauses`) and claims the
   request keys.
2. `publish`: copies the package to where the outbox is; then one transaction asks the law once more, puts the copy into
   its place, and records `published`.
3. `recover`: after a crash, what lies in the outbox decides.

Every write to the ledger takes the same lock. So a halt, or an instrument enrolled, comes before a publication and is
seen by it, or returns after it; there is no moment in between. What only narrows the package sends the batch back: it
is decided and sealed again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from expectations.base.digests import matches, matching
from expectations.base.errors import Fault, Transient
from flows.batch.ruling import Judged
from flows.ledger import claims
from flows.ledger.bulk import Pairs, digest, incoming
from flows.ledger.core import find
from flows.ledger.database.models import Batch
from flows.ledger.events.moves import Moved, Prepared, Published, Refused, Withdrawn
from flows.ledger.events.read import Read
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Cause, State
from flows.outbox import Outbox, outbox_at, package_digest, taken

# The batch decided again by what is enrolled now, in the transaction of the caller.
Law = Callable[[Session, Batch], Judged]


@dataclass(frozen=True)
class Step:
    """How far a batch came. `state` is the ledger's.

    taken   request keys that other batches hold: nothing was claimed; seal again without these rows, and prepare again
    again   the package rests on what is no longer enrolled so, or must wait: nothing changed; decide and seal it again
    codes   HALTED (go on after it is lifted: nothing changed), or what the batch is refused or withdrawn for
    cites   ids of the instruments
    """

    state: State
    taken: frozenset[str] = frozenset()
    again: bool = False
    codes: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


def prepare(
    ledger: Ledger, batch: str, *, keys: Pairs, package: Path, merkle_root: str, content_digest: str, law: Law
) -> Step:
    """Claims `keys` (request_key, person_key) of a batch that is accounted for, all or nothing; safe to repeat.

    package         the sealed package's folder; its digest is recorded, and only this package can be published
    merkle_root     of the batch's accounting; content_digest: of the rows that were checked and sealed
    Raises Fault unless the batch is sealed, or prepared with this very package; or if the accounting that the ledger
    knows of is not this one.
    """
    sealed = package_digest(package)
    with ledger.transaction() as session:
        entry = find(session, batch)
        if entry.state == State.PUBLISHED:
            return Step(State.PUBLISHED)
        if entry.state == State.PREPARED:
            if matches(entry.package_digest, lambda: package_digest(package)):
                return Step(State.PREPARED)
            other = "another package of this batch is prepared already"
            raise Fault("OTHER_PACKAGE", other, where=batch, remedy="Reopen the batch first.")
        if entry.merkle_root != merkle_root:
            missing = "the batch is not accounted for as it would leave"
            raise Fault("NOT_ACCOUNTED", missing, where=batch, remedy="Run the batch again.")
        judged = law(session, entry)
        if stopped := _stopped(ledger, session, entry, judged):
            return stopped
        pairs = claims.once(batch, keys)
        with incoming(session, pairs):
            if held := claims.taken(session, entry):
                return Step(State(entry.state), taken=held)
            rows, claimed = digest(pairs)
            event = Prepared(
                start=State(entry.state),
                rows=rows,
                claims=claimed,
                package=sealed,
                merkle_root=merkle_root,
                content_digest=content_digest,
                reading=judged.read,
            )
            ledger.move(session, entry, event, Cause.PREPARED)
    return Step(State.PREPARED)


def publish(ledger: Ledger, batch: str, *, package: Path, outbox: Outbox | Path | str, law: Law) -> Step:
    """Puts a prepared package into `outbox` under the name of the batch, and records it; safe to repeat. Raises Fault
    if the package is not the prepared one, or if something else lies there under this name; Transient if the disk or
    the object store fails."""
    there = outbox_at(outbox)
    if (here := recover(ledger, batch, there)) is not State.PREPARED:
        return Step(here)
    try:
        return _put(ledger, batch, package, there, law)
    except Transient:
        # a run that was faster tidies up what this one stages: then the batch is published, and nothing has failed
        if (here := recover(ledger, batch, there)) is not State.PREPARED:
            return Step(here)
        raise


def _put(ledger: Ledger, batch: str, package: Path, there: Outbox, law: Law) -> Step:
    with there.staged(package, batch) as copy:
        with ledger.transaction() as session:
            entry = find(session, batch)
            if entry.state != State.PREPARED:  # another run was faster
                return Step(State(entry.state))
            if not matches(entry.package_digest, copy.digest):
                changed = "the package is not the one that was prepared"
                remedy = "Reopen the batch, so that it is sealed again."
                raise Fault("PACKAGE_CHANGED", changed, where=batch, remedy=remedy)
            if stopped := _stopped(ledger, session, entry, law(session, entry)):
                return stopped
            copy.put()
            _published(ledger, session, entry)
        there.tidy(batch)
        return Step(State.PUBLISHED)


def recover(ledger: Ledger, batch: str, outbox: Outbox | Path | str) -> State:
    """The state of a batch, put right after a crash: a prepared batch whose package lies in the outbox is published. A
    batch that stays `prepared` did not leave: publish it, reopen it, or withdraw it. Raises Fault if something else
    lies in the outbox under its name."""
    there = outbox_at(outbox)
    with ledger.transaction() as session:
        entry = find(session, batch)
        if entry.state == State.PREPARED and _has_left(entry, there):
            there.settle(batch)
            _published(ledger, session, entry)
        if entry.state != State.PREPARED:
            there.tidy(batch)
        return State(entry.state)


def reopen(ledger: Ledger, batch: str, outbox: Outbox | Path | str) -> State:
    """Sends a sealed or prepared batch that did not leave back to be sealed again, and gives its claims back. For keys
    that another batch holds, or a package that was lost. Raises Fault if the package has left."""
    with ledger.transaction() as session:
        entry = _not_left(session, batch, outbox)
        ledger.move(session, entry, Moved(start=State(entry.state), to=State.VALIDATED), Cause.RESEALED)
        return State.VALIDATED


def withdraw(
    ledger: Ledger, batch: str, outbox: Outbox | Path | str, codes: Sequence[str], cites: Sequence[str] = ()
) -> State:
    """Ends a prepared batch that did not leave; its keys are free again. Raises Fault if the package has left."""
    with ledger.transaction() as session:
        _withdraw(ledger, session, _not_left(session, batch, outbox), codes, cites)
        return State.WITHDRAWN


def _stopped(ledger: Ledger, session: Session, entry: Batch, judged: Judged) -> Step | None:
    """Ends the batch if the law refuses it; sends it back if it must be sealed again, or waits for people; leaves it
    where it is while releases are halted."""
    ruling, start = judged.ruling, State(entry.state)
    if not ruling.refuses:
        again = judged.stale or bool(ruling.holds)
        return Step(start, again=True) if again else Step(start, codes=("HALTED",)) if ruling.waits else None
    if start is State.PREPARED:
        _withdraw(ledger, session, entry, ruling.codes, ruling.cites, judged.read)
    else:
        event = Refused(start=start, codes=ruling.codes, cites=ruling.cites, reading=judged.read)
        ledger.move(session, entry, event, Cause.REFUSED)
    return Step(State(entry.state), codes=ruling.codes, cites=ruling.cites)


def _withdraw(
    ledger: Ledger,
    session: Session,
    entry: Batch,
    codes: Sequence[str],
    cites: Sequence[str],
    read: Read | None = None,
) -> None:
    why, law = tuple(sorted(codes)), tuple(sorted(cites))
    event = Withdrawn(start=State(entry.state), codes=why, cites=law, reading=read)
    ledger.move(session, entry, event, Cause.WITHDRAWN)


def _published(ledger: Ledger, session: Session, entry: Batch) -> None:
    ledger.move(session, entry, Published(start=State(entry.state), package=entry.package_digest), Cause.PUBLISHED)


def _has_left(entry: Batch, outbox: Outbox) -> bool:
    digest = matching(entry.package_digest, lambda: outbox.digest(entry.name))
    if digest not in (None, entry.package_digest):
        raise taken(entry.name)
    return digest is not None


def _not_left(session: Session, batch: str, outbox: Outbox | Path | str) -> Batch:
    entry = find(session, batch)
    if entry.state == State.PREPARED and _has_left(entry, outbox_at(outbox)):
        remedy = "Run the batch again, so that this is recorded; then recall it if need be."
        raise Fault("HAS_LEFT", "the package lies in the outbox: it counts as published", where=batch, remedy=remedy)
    return entry
