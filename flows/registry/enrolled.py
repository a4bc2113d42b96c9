"""Instruments that the ledger holds, read: agreements, court orders and determinations, by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from expectations.instruments import (
    Agreement,
    CourtOrder,
    Determination,
    Instrument,
    instrument_problems,
    parse_enrolled,
)
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord


@dataclass(frozen=True)
class Enrolled:
    """Instruments by id, each in one version."""

    agreements: Mapping[str, Agreement]
    orders: Mapping[str, CourtOrder]
    determinations: Mapping[str, Determination]

    @classmethod
    def of(cls, instruments: Iterable[Instrument]) -> Enrolled:
        """These instruments, by what they are."""
        found = {i.id: i for i in instruments}
        return cls(
            {id: i for id, i in found.items() if isinstance(i, Agreement)},
            {id: i for id, i in found.items() if isinstance(i, CourtOrder)},
            {id: i for id, i in found.items() if isinstance(i, Determination)},
        )


def read(bodies: Iterable[bytes]) -> Enrolled:
    """The instruments of these bodies, as the ledger gives them under its lock."""
    return Enrolled.of(parse_enrolled(body, "enrolled instrument") for body in bodies)


def newest(ledger: Ledger) -> Enrolled:
    """The newest version of every instrument."""
    return read(body for _, _, body in ledger.instruments())


def to_renew(body: bytes) -> bool:
    """Whether this version, enrolled by an older version of this system, says more than the law allows, or does not say
    who signs: past batches are read by it, and no new one is decided under it."""
    return bool(instrument_problems(body, "enrolled instrument"))


def agreement_version(ledger: Ledger, digest: str) -> Agreement | None:
    """The agreement in the version with this digest, whether it is the newest or not; None if there is none."""
    body = ledger.instrument(digest)
    return next(iter(read([body]).agreements.values()), None) if body is not None else None


def agreement_at_receipt(ledger: Ledger, record: BatchRecord) -> Agreement | None:
    """A batch's agreement as it was when the batch was received; None of a submission that could not be read."""
    return agreement_version(ledger, record.instruments.get(record.agreement, ""))
