"""What a letter says, as lines of the batch's page: each fact, and whether the agreement allows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from expectations.base.errors import SluicegateError
from flows.batch import letter
from flows.batch.letter import Said
from flows.batch.steps import BatchSteps
from flows.console.kept import Kept
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import FINAL

_UNLISTED = "words that stand in no list"


@dataclass(frozen=True)
class Fact:
    """One line. `allowed`: by the agreement that the batch was received under; None: it has no say."""

    name: str
    value: str | int | date
    allowed: bool | None = None


def facts(home: Home, ledger: Ledger, record: BatchRecord, intake: Kept | None) -> list[Fact]:
    """As kept with the result of `intake`; before it, from the batch's own copy of the letter. None of a batch that
    ended before `intake`, or that an older version judged."""
    said = intake.letter if intake else None
    if said is None and record.state not in FINAL:
        said = _copy(home, ledger, record)
    return list(_facts(said)) if said else []


def _copy(home: Home, ledger: Ledger, record: BatchRecord) -> Said | None:
    try:
        return letter.said(BatchSteps(home, ledger, record.name).ctx)
    except (SluicegateError, OSError):  # it cannot be read, or is gone since
        return None


def _facts(said: Said) -> Iterator[Fact]:
    yield Fact("statute", said.statute or _UNLISTED, said.statute_designated)
    yield Fact("purpose", said.purpose or _UNLISTED, said.purpose_allowed)
    yield Fact("used solely for it", "attested" if said.solely else "not attested")
    yield Fact("office that signs", said.office or _UNLISTED, said.office_may_sign)
    yield Fact("signatory and key", "as signed", said.signatory_may_sign)
    yield Fact("date of the letter", said.letter_date)
    yield Fact("attested on", said.attested_on)
    yield Fact("received on", said.received_on)
    yield Fact("rows declared", said.rows)
    yield Fact("data files declared", sum(one.count for one in said.files))
    for one in said.files:
        packed = "" if one.compression == "none" else f", {one.compression}"
        yield Fact(f"of them {one.format}{packed}", one.count)
    yield Fact("officers listed", said.officers)
    if said.officers_again:
        yield Fact("of them under a second id", said.officers_again)
