"""Sealed files are sealed anew: which digest each of them has from then on."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from flows.ledger.database.models import Batch, KeyName, Operator, Seal, SealKind
from flows.ledger.events.base import Event, Kind
from flows.ledger.events.home import known_keys
from flows.ledger.roles import Act, may
from flows.ledger.signing import roles_of
from flows.ledger.tables import Tables

AFFECTED = "affected.age"  # the sealed list of persons, among the documents of a recall case
OF_A_BATCH = frozenset({SealKind.ACCOUNTING, SealKind.EVIDENCE})


def sealed_as(tables: Tables, kind: SealKind, owner: str, digest: str) -> None:
    """From this event on, the file has this digest."""
    row, seq = tables.find(Seal, (kind.value, owner)), tables.place.seq
    if row is None:
        tables.session.add(Seal(kind=kind.value, owner=owner, digest=digest, seq=seq))
    else:
        row.digest, row.seq = digest, seq


@dataclass(frozen=True, kw_only=True)
class Resealed(Event, kinds=[Kind.RESEALED]):
    """An operator had files sealed anew, their content as it was, to the holder's age key `key` (its fingerprint).

    `files`: of each its kind, whose it is, the digest that it had, and the one that it has from now on. Those of a
    batch stand in an event of that batch.
    """

    by: str
    key: str
    files: tuple[tuple[SealKind, str, str, str], ...]

    def wrong(self, tables: Tables) -> Iterator[str]:
        operator = tables.find(Operator, self.by)
        if operator is None or operator.revoked_at is not None or not may(roles_of(operator), Act.HOME):
            yield f"{self.by} could not have files sealed anew there"
        if self.key not in {row.fingerprint for row in known_keys(tables) if row.name == KeyName.HOLDER_AGE}:
            yield "its files are sealed to another key than the holder's was there"
        if len({(kind, owner) for kind, owner, _, _ in self.files}) != max(len(self.files), 1):
            yield "it names no file, or one more than once"
        for kind, owner, before, now in self.files:
            yield from (f"the {kind} of {owner} {what}" for what in self._wrong(tables, kind, owner, before, now))

    def _wrong(self, tables: Tables, kind: SealKind, owner: str, before: str, now: str) -> Iterator[str]:
        row = tables.find(Seal, (kind.value, owner))
        if row is None or row.digest != before:
            yield "did not have the digest there that it says"
        if tables.session.scalar(select(Seal.owner).where(Seal.digest == now).limit(1)) is not None:
            yield "gets the digest that a file has already"
        if tables.place.batch != (owner if kind in OF_A_BATCH else None):
            yield "does not belong to the batch of the event"
        if kind is SealKind.EVIDENCE and tables.row(Batch, owner).evidence is not None:
            yield "was destroyed, or was to be"

    def apply(self, tables: Tables) -> None:
        for kind, owner, _, now in self.files:
            sealed_as(tables, kind, owner, now)
