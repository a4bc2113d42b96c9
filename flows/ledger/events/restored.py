"""That a ledger came out of a backup, and that two operators opened the home again."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from expectations.base import signatures
from expectations.base.digests import canonical_json
from flows.ledger.database.models import Restoration
from flows.ledger.events.base import Event, Kind, SignedEvent, Signing, operators, wrong_home, wrong_place
from flows.ledger.roles import Act
from flows.ledger.signing import KEYS_NEEDED, SignedBy
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Restored(Event, kinds=[Kind.RESTORED]):
    """The ledger was restored. `backup`: digest of the manifest; `after`, `head`: the newest event in the backup, by
    number and hash. From here on the home is closed."""

    backup: str
    after: int
    head: str

    def wrong(self, tables: Tables) -> Iterator[str]:
        if (self.after, self.head) != (tables.place.seq - 1, tables.place.previous):
            yield "it does not follow the newest event of the backup"

    def apply(self, tables: Tables) -> None:
        place = tables.place
        tables.add(Restoration(seq=place.seq, at=place.at, backup=self.backup, head=self.head), place.seq)


@dataclass(frozen=True, kw_only=True)
class Opened(SignedEvent, kinds=[Kind.OPENED]):
    """Two operators sign that a restored home goes on.

    restored     the event that closed it
    newest       hash of the newest event that ever was, as they know it from elsewhere; None: they do not know
    lost         number and hash of each signed head that somebody holds, and that is not in this chain
    forgotten    digest of each package in the outbox of which this ledger does not know that it left
    after, head  the event before, so that no signature opens another restoration
    """

    restored: int
    newest: str | None
    lost: tuple[tuple[int, str], ...]
    forgotten: tuple[str, ...]
    after: int
    head: str
    home: str
    signed: tuple[SignedBy, ...]

    @property
    def statement(self) -> bytes:
        return opening_message(
            self.restored, self.newest, self.lost, self.forgotten, (self.after, self.head), self.home
        )

    def signing(self, tables: Tables) -> Signing:
        signers = operators(tables, self.signed, Act.HOME)
        return Signing(signatures.OPENING, KEYS_NEEDED, self.signed, signers, self.statement)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        yield from wrong_place(tables, self.after, self.head)
        row = tables.find(Restoration, self.restored)
        if row is None or row.opened_at is not None:
            yield "no restoration waits that it could open"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        complete = self.newest == tables.row(Restoration, self.restored).head
        for row in tables.session.scalars(select(Restoration).where(Restoration.opened_at.is_(None))):
            row.opened_at = tables.place.at
            row.complete = complete and not self.lost and not self.forgotten and row.seq == self.restored


def opening_message(
    restored: int,
    newest: str | None,
    lost: tuple[tuple[int, str], ...],
    forgotten: tuple[str, ...],
    before: tuple[int, str],
    home: str,
) -> bytes:
    """What operators sign (namespace signatures.OPENING): the fields of `Opened`. `before`: the event before."""
    said = {"restored": restored, "newest": newest, "lost": lost, "forgotten": forgotten, "home": home}
    return canonical_json({**said, "after": before[0], "head": before[1]})
