"""Instruments and letters from the bytes of their files."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from expectations.base import forms
from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput
from expectations.base.total import total
from expectations.instruments.agreement import Agreement
from expectations.instruments.determination import Determination
from expectations.instruments.law import NEW
from expectations.instruments.letter import Letter
from expectations.instruments.orders import CourtOrder

Instrument = Agreement | CourtOrder | Determination


class Kind(StrEnum):
    """What the key `kind` of an instrument can say."""

    AGREEMENT = "agreement"
    COURT_ORDER = "court_order"
    DETERMINATION = "determination"


KINDS: Mapping[Kind, type[Instrument]] = total(
    Kind, {Kind.AGREEMENT: Agreement, Kind.COURT_ORDER: CourtOrder, Kind.DETERMINATION: Determination}
)


def parse_instrument(data: bytes, where: str) -> Instrument:
    """A new instrument from the bytes of its file, which keeps within the law; raises BadInput naming file and key,
    never quoting the value."""
    return _parsed(data, where, NEW)


def parse_enrolled(data: bytes, where: str) -> Instrument:
    """An instrument that is enrolled already, for replay, verification and past batches: also one of a version that
    would not be enrolled any more (`instrument_problems` says why). Raises BadInput like `parse_instrument`."""
    return _enrolled(data, where)


@lru_cache(maxsize=1024)
def _enrolled(data: bytes, where: str) -> Instrument:
    """The same bytes are read at each step of each batch; what they say cannot be changed."""
    return _parsed(data, where, None)


def _parsed(data: bytes, where: str, context: dict[str, Any] | None) -> Instrument:
    model, table = _read(data, where)
    remedy = f"sluicegate schema {table['kind']} says what to write."
    return forms.validated(model, table, where, "INSTRUMENT_INVALID", remedy, context)


def instrument_problems(data: bytes, where: str) -> list[forms.Problem]:
    """Why an instrument may not be enrolled, by key; raises BadInput if it is no TOML or of no known kind."""
    return forms.problems(*_read(data, where), NEW)


def _read(data: bytes, where: str) -> tuple[type[Instrument], dict[str, Any]]:
    table = forms.toml(data, where, "INSTRUMENT_UNREADABLE")
    kind = table.get("kind")
    if kind not in list(Kind):
        remedy = f"Write kind = one of {sorted(map(str, Kind))}."
        raise BadInput("INSTRUMENT_KIND", "kind is missing or unknown", where=where, remedy=remedy)
    return KINDS[Kind(kind)], table


def parse_letter(data: bytes, where: str = "letter.toml") -> Letter:
    """A new letter from its bytes, of an office and for a purpose of the statute; raises BadInput naming the key at
    fault, never quoting the value."""
    return letter_of(forms.toml(data, where, "LETTER_UNREADABLE"), where)


def letter_of(table: dict[str, Any], where: str) -> Letter:
    """The same from what its TOML holds."""
    remedy = "See sluicegate schema letter for the form."
    return forms.validated(Letter, table, where, "LETTER_INVALID", remedy, NEW)


def parse_kept_letter(data: bytes, where: str = "letter.toml") -> Letter:
    """A letter that was taken in before, which the rules judge; raises BadInput like `parse_letter`."""
    return forms.validated(Letter, forms.toml(data, where, "LETTER_UNREADABLE"), where, "LETTER_INVALID")


def instrument_digest(data: bytes) -> str:
    """What is enrolled: the digest of the file's bytes. A changed file is a new version."""
    return of_bytes(data)
