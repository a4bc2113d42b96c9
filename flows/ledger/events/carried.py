"""The keyed hashes in the ledger are carried over to another key: what the tables hold from then on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from expectations.base.total import total
from flows.ledger.bulk import BY_NAME
from flows.ledger.database.models import Base, Batch, KeyName, RecallCase
from flows.ledger.events.base import Event, Kind
from flows.ledger.events.home import keys_before, known_keys
from flows.ledger.hashed import Hashed
from flows.ledger.tables import Tables

OWNERS: Mapping[Hashed, type[Base]] = total(
    Hashed, {Hashed.CLAIMS: Batch, Hashed.TRIES: Batch, Hashed.RECALLED: RecallCase}
)


@dataclass(frozen=True, kw_only=True)
class Carried(Event, kinds=[Kind.CARRIED]):
    """The rows of a batch, or of a recall case (`owner`), in one table are now hashed with the key that the event
    `after` told of: as many as before, with this digest. They follow that event without a gap."""

    table: Hashed
    owner: str
    rows: int
    digest: str
    after: int

    def wrong(self, tables: Tables) -> Iterator[str]:
        if not self._follows(tables):
            yield "no event before it says that keyed hashes are carried over"
        if tables.rows_of(BY_NAME[self.table], self.owner) not in (self.rows, None):
            yield f"it carries other rows of {self.table} over than {self.owner} had"

    def _follows(self, tables: Tables) -> bool:
        known = known_keys(tables)
        if not known or known[0].seq != self.after or tables.kind_before() not in (Kind.KEYS, Kind.CARRIED):
            return False
        was, now = (
            {row.fingerprint for row in rows if row.name == KeyName.HASH}
            for rows in (keys_before(tables, self.after), known)
        )
        return was != now

    def apply(self, tables: Tables) -> None:
        bulk = BY_NAME[self.table]
        _, columns = bulk.owned
        row = tables.row(OWNERS[self.table], self.owner)
        tables.carry(bulk, self.owner, self.rows, self.digest, **{name: getattr(row, name) for name in columns})
