"""What happens to a batch, or is seen of one, while it stays where it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from flows.ledger.bulk import TRIES
from flows.ledger.database.models import Batch, Seal, SealKind, from_us, stamp
from flows.ledger.events.base import Event, Kind
from flows.ledger.events.seals import sealed_as
from flows.ledger.facts import View
from flows.ledger.lifecycles.states import FINAL, State
from flows.ledger.looks import LookReason
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Accounted(Event, kinds=[Kind.ACCOUNTED]):
    """Accounting and evidence are sealed: rows by outcome (they add up to `rows`), and rows that have each code.

    `merkle_root`: over the rows; `accounting`, `evidence`: digest of the sealed accounting, of the list of files.
    """

    rows: int
    outcomes: dict[str, int]
    codes: dict[str, int]
    merkle_root: str
    accounting: str
    evidence: str

    def wrong(self, tables: Tables) -> Iterator[str]:
        if sum(self.outcomes.values()) != self.rows:
            yield f"the outcomes of batch {tables.batch.name} do not add up"

    def apply(self, tables: Tables) -> None:
        tables.batch.merkle_root = self.merkle_root
        sealed_as(tables, SealKind.ACCOUNTING, tables.batch.name, self.accounting)
        sealed_as(tables, SealKind.EVIDENCE, tables.batch.name, self.evidence)


@dataclass(frozen=True, kw_only=True)
class Shredding(Event, kinds=[Kind.SHREDDING]):
    """The evidence is about to be destroyed. `key`: digest of the public half of its key; None where it has none.

    `as_of`: the day (YYYYMMDD) that a sandbox pretended it was.
    """

    key: str | None
    as_of: int | None = None

    def facts(self) -> dict[str, Any]:
        return {"key": self.key, **super().facts()}

    def wrong(self, tables: Tables) -> Iterator[str]:
        if State(tables.batch.state) not in FINAL or tables.batch.evidence is not None:
            yield f"the evidence of batch {tables.batch.name} was not to be destroyed there"

    def apply(self, tables: Tables) -> None:
        tables.batch.evidence = Kind.SHREDDING.value


@dataclass(frozen=True, kw_only=True)
class Shredded(Event, kinds=[Kind.SHREDDED]):
    """The evidence is destroyed."""

    key: str | None

    def wrong(self, tables: Tables) -> Iterator[str]:
        if tables.batch.evidence != Kind.SHREDDING:
            yield f"the evidence of batch {tables.batch.name} was shredded without what comes before"

    def apply(self, tables: Tables) -> None:
        tables.batch.evidence = Kind.SHREDDED.value
        seal = tables.find(Seal, (SealKind.EVIDENCE.value, tables.batch.name))
        if seal is not None:
            tables.session.delete(seal)


@dataclass(frozen=True, kw_only=True)
class Viewed(Event, kinds=[Kind.VIEW]):
    """Somebody is about to see values: of a row, of a whole batch (no ordinal), or of a person; and why."""

    what: View
    who: str
    ordinal: int | None = None
    person: str | None = None
    reason: LookReason | None = None
    reference: str | None = None

    def facts(self) -> dict[str, Any]:
        return super().facts() | ({"ordinal": self.ordinal} if self.person is None else {})


@dataclass(frozen=True, kw_only=True)
class ViewRefused(Event, kinds=[Kind.VIEW_REFUSED]):
    """Somebody whose roles allow it asked for values too often. Nothing was shown."""

    what: View
    who: str


@dataclass(frozen=True, kw_only=True)
class Tries(Event, kinds=[Kind.TRIES]):
    """Of `rows` sets of values tried, `pairs` different ones are the tries of this batch now; `tries`: their digest."""

    rows: int
    pairs: int | None = None
    tries: str | None = None

    def apply(self, tables: Tables) -> None:
        tables.clear(TRIES, [tables.batch.name])
        tables.put(TRIES, tables.batch.name, self.pairs, self.tries)


@dataclass(frozen=True, kw_only=True)
class TriesAged(Event, kinds=[Kind.TRIES_AGED]):
    """The tries of batches received before then count no more: so many rows are gone."""

    before_us: int
    rows: int

    @property
    def batches(self) -> Select[Any]:
        """The names of these batches."""
        return select(Batch.name).where(Batch.received_at < stamp(from_us(self.before_us)))

    def apply(self, tables: Tables) -> None:
        tables.clear(TRIES, self.batches)
