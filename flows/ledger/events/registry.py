"""What counts: instruments, compliance with orders, and what an operator vouches for of older events."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from expectations.base import signatures
from expectations.base.digests import canonical_json
from flows.ledger.database.models import Enrolled
from flows.ledger.events.base import Kind, SignedEvent, Signing, operators, wrong_home, wrong_place
from flows.ledger.roles import Act
from flows.ledger.signing import KEYS_NEEDED, SignedBy, compliance_message, instrument_message
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class InstrumentEnrolled(SignedEvent, kinds=[Kind.ENROLLED]):
    """A version of an instrument counts from now on. The first ledgers did not say which version, nor who signed."""

    instrument: str
    kind: str
    digest: str
    version: int | None = None
    signed: tuple[SignedBy, ...] | None = None
    home: str | None = None

    def signing(self, tables: Tables) -> Signing:
        signed = self.signed or ()
        text = instrument_message(self.kind, self.instrument, self.digest, (self.version or 1) - 1, self.home)
        return Signing(
            signatures.INSTRUMENT, KEYS_NEEDED, signed, operators(tables, signed, Act.ENROL_INSTRUMENT), text
        )

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        if self.version not in (None, self._next(tables)):
            yield "it does not follow the version before it"

    def apply(self, tables: Tables) -> None:
        seq, at = tables.place.seq, tables.place.at
        version, body = self.version or self._next(tables), tables.content(Enrolled.body, seq, self.digest)
        said = {"id": self.instrument, "digest": self.digest, "kind": self.kind}
        row = Enrolled(seq=seq, version=version, enrolled_at=at, body=body, **said)
        tables.add(row, seq)
        super().apply(tables)

    def _next(self, tables: Tables) -> int:
        query = select(func.max(Enrolled.version)).where(Enrolled.id == self.instrument)
        return (tables.session.scalar(query) or 0) + 1


@dataclass(frozen=True, kw_only=True)
class Complied(SignedEvent, kinds=[Kind.COMPLIED]):
    """An operator signed that the holder confirmed its compliance with a version of an order. `proof`: digest of the
    confirmation as it was filed."""

    order: str
    digest: str
    proof: str
    by: str
    key: str
    signature: str
    home: str | None = None

    def signing(self, tables: Tables) -> Signing:
        signed = (SignedBy(self.by, self.key, self.signature),)
        text = compliance_message(self.order, self.digest, self.proof, self.home)
        return Signing(signatures.COMPLIANCE, 1, signed, operators(tables, signed, Act.COMPLIANCE), text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        version = select(Enrolled.seq).where(Enrolled.id == self.order, Enrolled.digest == self.digest)
        if tables.session.scalar(version.limit(1)) is None:
            yield f"no version of {self.order} is enrolled that could be complied with so"


@dataclass(frozen=True, kw_only=True)
class Baseline(SignedEvent, kinds=[Kind.BASELINE]):
    """What an operator vouches for once, in a ledger that an older version wrote: values that its events did not say.

    `after`, `head`: the event before, by number and hash; `values`: digest by table; `tries`: batch, rows and digest.
    """

    after: int
    head: str
    values: dict[str, str]
    tries: tuple[tuple[str, int, str], ...]
    by: str
    key: str
    signature: str

    def signing(self, tables: Tables) -> Signing:
        signed = (SignedBy(self.by, self.key, self.signature),)
        text = baseline_message(self.after, self.head, self.values, self.tries)
        return Signing(signatures.BASELINE, 1, signed, operators(tables, signed, Act.HOME), text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_place(tables, self.after, self.head)

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        tables.baseline(self.values, self.tries)


def baseline_message(after: int, head: str, values: dict[str, str], tries: tuple[tuple[str, int, str], ...]) -> bytes:
    """What an operator signs (namespace signatures.BASELINE): the fields of `Baseline`."""
    return canonical_json({"after": after, "head": head, "values": values, "tries": tries})
