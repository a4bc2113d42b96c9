"""Who and what counts: instruments, operators, and what an operator vouches for of older events."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from expectations.base import signatures
from expectations.base.digests import canonical_json
from flows.ledger.database.models import Enrolled, Operator
from flows.ledger.events.base import Kind, SignedEvent, Signing, operators, wrong_home
from flows.ledger.signing import KEYS_NEEDED, SignedBy, compliance_message, instrument_message, operator_message
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
        return Signing(signatures.INSTRUMENT, KEYS_NEEDED, signed, operators(tables, signed), text)

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
class OperatorChanged(SignedEvent, kinds=[Kind.OPERATOR]):
    """An operator is enrolled, or revoked. The first two come with the home, unsigned."""

    operator: str
    key: str
    enrolled: bool
    signed: tuple[SignedBy, ...] | None = None
    home: str | None = None

    def signing(self, tables: Tables) -> Signing:
        signed = self.signed or ()
        known = tables.session.scalar(select(func.count()).select_from(Operator)) or 0
        needed = 0 if self.enrolled and known < KEYS_NEEDED else KEYS_NEEDED
        text = operator_message(self.operator, self.key, self.enrolled, self.home)
        return Signing(signatures.OPERATOR, needed, signed, operators(tables, signed, but=self.operator), text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)

    def apply(self, tables: Tables) -> None:
        super().apply(tables)  # first: who signs is counted before there is one more
        if self.enrolled:
            line = tables.content(Operator.key_line, self.operator, self.key)
            row = Operator(name=self.operator, key_line=line, enrolled_at=tables.place.at)
            tables.add(row, self.operator)
        else:
            tables.row(Operator, self.operator).revoked_at = tables.place.at


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
        return Signing(signatures.COMPLIANCE, 1, signed, operators(tables, signed), text)

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
        return Signing(signatures.BASELINE, 1, signed, operators(tables, signed), text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        if (self.after, self.head) != (tables.place.seq - 1, tables.place.previous):
            yield "it was signed after another event"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        tables.baseline(self.values, self.tries)


def baseline_message(after: int, head: str, values: dict[str, str], tries: tuple[tuple[str, int, str], ...]) -> bytes:
    """What an operator signs (namespace signatures.BASELINE): the fields of `Baseline`."""
    return canonical_json({"after": after, "head": head, "values": values, "tries": tries})
