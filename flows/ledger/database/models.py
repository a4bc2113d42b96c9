"""The ledger's tables. Times are ISO 8601 text in UTC, so that what is hashed is what is stored, on every database;
in what events say, they are microseconds since 1970.

Nothing here can name a person: counts, codes, digests, keyed hashes, and ids of parties, instruments and operators.
"""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, TypeAdapter
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flows.ledger.lifecycles.states import State

R = TypeVar("R")
Time = Annotated[datetime, BeforeValidator(datetime.fromisoformat)]  # in a record, what is text in its row
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_READERS: dict[type[Any], TypeAdapter[Any]] = {}
DIGEST, NAME, TIME, WORD = String(64), String(64), String(32), String(16)


class Base(DeclarativeBase):
    """All tables of the ledger."""


class Batch(Base):
    """One submission and where it is. `hold`: the event that holds it now; `resumes`: the state it goes on from;
    `voided`: the event after which what was signed on this hold before counts no more."""

    __tablename__ = "batches"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in State)})", name="batch_state_known"),
    )
    name: Mapped[str] = mapped_column(NAME, primary_key=True)
    submission: Mapped[str] = mapped_column(DIGEST, unique=True)
    requester: Mapped[str] = mapped_column(NAME)
    agreement: Mapped[str] = mapped_column(NAME)
    received_at: Mapped[str] = mapped_column(TIME)
    decided_on: Mapped[date]
    instruments: Mapped[str] = mapped_column(Text)  # JSON: id to digest
    register: Mapped[str] = mapped_column(NAME)
    rows: Mapped[int] = mapped_column(BigInteger)
    received_by: Mapped[str | None] = mapped_column(NAME)  # who took it in by hand; None: nobody, or nobody said so
    state: Mapped[str] = mapped_column(WORD, index=True)
    resumes: Mapped[str | None] = mapped_column(WORD)
    hold: Mapped[int | None] = mapped_column(BigInteger)
    voided: Mapped[int | None] = mapped_column(BigInteger)
    checkpoint: Mapped[str | None] = mapped_column(WORD)
    content_digest: Mapped[str | None] = mapped_column(DIGEST)
    codes: Mapped[str] = mapped_column(Text)  # JSON list
    cites: Mapped[str] = mapped_column(Text)  # JSON list
    package_digest: Mapped[str | None] = mapped_column(DIGEST)
    merkle_root: Mapped[str | None] = mapped_column(DIGEST)
    evidence: Mapped[str | None] = mapped_column(WORD)  # shredding, then shredded; None until then


class Event(Base):
    """One link of the audit chain."""

    __tablename__ = "events"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(TIME)
    batch: Mapped[str | None] = mapped_column(NAME, index=True)
    kind: Mapped[str] = mapped_column(WORD)
    facts: Mapped[str] = mapped_column(Text)  # canonical JSON
    previous: Mapped[str] = mapped_column(DIGEST)
    hash: Mapped[str] = mapped_column(DIGEST)
    scheme: Mapped[str | None] = mapped_column(WORD)  # the algorithm of its hash; None: the first one


class Decided(Base):
    """One signed decision on a held batch; or, without a batch, on a halt. Each operator counts once for one hold."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("hold", "decision", "operator", name="decision_once"),)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # the event of its signature
    at: Mapped[str] = mapped_column(TIME)
    batch: Mapped[str | None] = mapped_column(ForeignKey("batches.name"), index=True)
    hold: Mapped[int] = mapped_column(BigInteger)  # the event that held the batch, or halted releases
    checkpoint: Mapped[str] = mapped_column(WORD)
    content_digest: Mapped[str] = mapped_column(DIGEST)
    decision: Mapped[str] = mapped_column(WORD)
    reason: Mapped[str] = mapped_column(NAME)
    operator: Mapped[str] = mapped_column(NAME)


class Signature(Base):
    """One signature of a person that an event rests on: an operator's, or a recipient's under its attestation.

    `purpose`: its namespace without `sluicegate-`; `text`: the bytes that were signed.
    """

    __tablename__ = "signatures"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # the event
    signer: Mapped[str] = mapped_column(NAME, primary_key=True)
    purpose: Mapped[str] = mapped_column(WORD)
    text: Mapped[bytes] = mapped_column(LargeBinary)
    key_line: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(Text)


class Claim(Base):
    """One disclosure, prepared or published as its batch is. The primary key is what makes it once."""

    __tablename__ = "claims"
    __table_args__ = (Index("claims_of_batch", "batch", "request_key"),)
    requester: Mapped[str] = mapped_column(NAME, primary_key=True)
    agreement: Mapped[str] = mapped_column(NAME, primary_key=True)
    request_key: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    person_key: Mapped[str] = mapped_column(DIGEST)
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name"))


class Try(Base):
    """A set of values that a batch tried on a person; counts from when the batch is prepared (`flows.ledger.tries`)."""

    __tablename__ = "tries"
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name"), primary_key=True)
    person_key: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    values_key: Mapped[str] = mapped_column(DIGEST, primary_key=True)


class Enrolled(Base):
    """One enrolled version of an instrument, numbered from 1; the newest of an id counts."""

    __tablename__ = "instruments"
    __table_args__ = (UniqueConstraint("id", "version", name="version_once"),)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # the event that enrolled it
    id: Mapped[str] = mapped_column(NAME, index=True)
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(DIGEST)
    kind: Mapped[str] = mapped_column(WORD)
    enrolled_at: Mapped[str] = mapped_column(TIME)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class Operator(Base):
    """Someone whose signature counts, until revoked, for what the roles allow. `changed`: the event that gave them."""

    __tablename__ = "operators"
    name: Mapped[str] = mapped_column(NAME, primary_key=True)
    roles: Mapped[str] = mapped_column(Text)  # JSON list
    changed: Mapped[int] = mapped_column(BigInteger)
    enrolled_at: Mapped[str] = mapped_column(TIME)
    revoked_at: Mapped[str | None] = mapped_column(TIME)


class OperatorKey(Base):
    """A public key of an operator, until removed. It is never another's, nor comes back."""

    __tablename__ = "operator_keys"
    fingerprint: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    operator: Mapped[str] = mapped_column(NAME, index=True)
    key_line: Mapped[str] = mapped_column(Text)
    added_at: Mapped[str] = mapped_column(TIME)
    removed_at: Mapped[str | None] = mapped_column(TIME)


class Halt(Base):
    """A stop of all releases, until two people resume. `voided`: as of a batch."""

    __tablename__ = "halts"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # the event that halted
    at: Mapped[str] = mapped_column(TIME)
    operator: Mapped[str] = mapped_column(NAME)
    reason: Mapped[str] = mapped_column(NAME)
    voided: Mapped[int | None] = mapped_column(BigInteger)
    resumed_at: Mapped[str | None] = mapped_column(TIME)


class Snooze(Base):
    """Something that waits and that somebody set aside for a while. `thing`: SHA-256 of what waits, as it waited then:
    once anything about it is another, it is another thing, which nobody set aside."""

    __tablename__ = "snoozes"
    thing: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)  # the event
    at: Mapped[str] = mapped_column(TIME)
    until: Mapped[str] = mapped_column(TIME)
    operator: Mapped[str] = mapped_column(NAME)
    reason: Mapped[str] = mapped_column(NAME)


class KeyName(StrEnum):
    """A key of the home whose fingerprint the ledger knows."""

    HASH = "hash"  # of the keyed hashes
    HOLDER_SIGNING = "holder_signing"  # signs packages and heads
    EARLIER_SIGNING = "earlier_signing"  # signed them before; its signatures still count
    HOLDER_AGE = "holder_age"  # accounting and evidence are sealed to it


class HomeKey(Base):
    """A key that the home has since this event, by its fingerprint. Each such event has all of them."""

    __tablename__ = "home_keys"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # the event
    name: Mapped[str] = mapped_column(WORD, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    at: Mapped[str] = mapped_column(TIME)


class SealKind(StrEnum):
    """A file of the home whose digest the ledger knows, and that changes when it is sealed anew."""

    ACCOUNTING = "accounting"  # the sealed accounting of a batch
    EVIDENCE = "evidence"  # the list of the sealed files of a batch's evidence, with their digests
    CORRECTION = "correction"  # the sealed rows that a notice of corrections tells of
    RECALL = "recall"  # the sealed list of persons of a recall case


class Seal(Base):
    """Which digest a sealed file has now. `owner`: its batch, notice or case; `seq`: the event that said so."""

    __tablename__ = "seals"
    kind: Mapped[str] = mapped_column(WORD, primary_key=True)
    owner: Mapped[str] = mapped_column(NAME, primary_key=True)
    digest: Mapped[str] = mapped_column(DIGEST)
    seq: Mapped[int] = mapped_column(BigInteger)


class Restoration(Base):
    """This ledger came out of a backup: nothing runs until two operators have opened the home.

    `head`: hash of the newest event in the backup; `complete`: whether the operators knew of none after it.
    """

    __tablename__ = "restorations"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # the event
    at: Mapped[str] = mapped_column(TIME)
    backup: Mapped[str] = mapped_column(DIGEST)  # of its manifest
    head: Mapped[str] = mapped_column(DIGEST)
    opened_at: Mapped[str | None] = mapped_column(TIME)
    complete: Mapped[bool | None]


class RecallCase(Base):
    """One recall and where it is. `seq` is the event that brought it there."""

    __tablename__ = "recall_cases"
    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    requester: Mapped[str] = mapped_column(NAME)
    agreement: Mapped[str] = mapped_column(NAME)
    reason: Mapped[str] = mapped_column(NAME)
    discovered_at: Mapped[str] = mapped_column(TIME)
    batches: Mapped[str] = mapped_column(Text)  # JSON: batch to rows
    codes: Mapped[str] = mapped_column(Text)  # JSON: code to rows
    affected: Mapped[str] = mapped_column(DIGEST)  # of the affected rows: batch and ordinal
    state: Mapped[str] = mapped_column(NAME)
    seq: Mapped[int] = mapped_column(BigInteger)


class Recalled(Base):
    """A claim whose disclosure is recalled, in one case, never in two. It stays: a new request needs a new id."""

    __tablename__ = "recalled"
    __table_args__ = (Index("recalled_in_case", "case_id", "request_key"),)
    requester: Mapped[str] = mapped_column(NAME, primary_key=True)
    agreement: Mapped[str] = mapped_column(NAME, primary_key=True)
    request_key: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("recall_cases.id"))


def as_record(cls: type[R], row: DeclarativeBase, **more: Any) -> R:
    """A row as callers see it: its columns are the fields of `cls`, as times, JSON or words of a list where it says so.

    `more`: fields that the row does not have.
    """
    columns = {c.key: getattr(row, c.key) for c in row.__table__.columns}
    found: R = reader(cls).validate_python({**columns, **more})
    return found


def reader(cls: type[Any]) -> TypeAdapter[Any]:
    """What makes instances of a dataclass; itself made once for each."""
    if cls not in _READERS:
        _READERS[cls] = TypeAdapter(cls)
    return _READERS[cls]


def stamp(moment: datetime) -> str:
    """An aware time as text: UTC, to the microsecond, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def to_us(moment: datetime) -> int:
    """An aware time in microseconds since 1970 (UTC)."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(number: int) -> datetime:
    """The time that `to_us` gave this number for; raises ValueError if there is none."""
    try:
        return _EPOCH + timedelta(microseconds=number)
    except OverflowError:
        raise ValueError("no time is so far away") from None
