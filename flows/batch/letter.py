"""What the letter of a batch says, as pages show it: typed facts under its agreement, kept with the result of `intake`.

Only what stands in a closed list, a number or a date: nothing that its writer chose the words of, no person's name and
no file's.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from expectations.instruments.law import Office, Purpose
from expectations.rules.statutes import STATUTES
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts


@dataclass(frozen=True)
class Files:
    """So many data files of one form."""

    count: int
    format: str
    compression: str


@dataclass(frozen=True)
class Said:
    """What a letter says, and whether its agreement allows it. None: words that stand in no list.

    officers        ids that it lists; officers_again: of these, ids of somebody whom it lists under another too
    rows            as it says, in all files
    """

    statute: str | None
    statute_designated: bool
    purpose: str | None
    purpose_allowed: bool
    office: str | None
    office_may_sign: bool
    signatory_may_sign: bool
    letter_date: date
    attested_on: date
    received_on: date
    solely: bool
    officers: int
    officers_again: int
    rows: int
    files: tuple[Files, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, with dates as text."""
        return {name: str(value) if isinstance(value, date) else value for name, value in asdict(self).items()}


_SAID = TypeAdapter(Said)


def said(ctx: BatchContext) -> Said | None:
    """What the letter of a batch says. Raises nothing: it is shown, and decides nothing."""
    try:
        return _said(ctx)
    except Exception:  # whatever it is, rules judge the letter
        return None


def of(kept: Any) -> Said | None:
    """As it was kept; None where nothing was. Raises ValueError for what is none."""
    return _SAID.validate_python(kept) if kept is not None else None


def _said(ctx: BatchContext) -> Said:
    letter, facts = ctx.letter, letter_facts(ctx)
    forms = Counter((str(one.format), str(one.compression)) for one in letter.files)
    return Said(
        statute=facts.statute if facts.statute in STATUTES else None,
        statute_designated=facts.statute_designated,
        purpose=str(letter.purpose) if letter.purpose in list(Purpose) else None,
        purpose_allowed=facts.purpose_allowed,
        office=str(letter.signatory.office) if letter.signatory.office in list(Office) else None,
        office_may_sign=facts.office_may_sign,
        signatory_may_sign=facts.signatory_may_sign,
        letter_date=facts.letter_date,
        attested_on=facts.attested_on,
        received_on=facts.received_on,
        solely=facts.solely,
        officers=len(facts.officers),
        officers_again=len(facts.officers_alike),
        rows=facts.rows_in_letter,
        files=tuple(Files(count, *form) for form, count in sorted(forms.items())),
    )
