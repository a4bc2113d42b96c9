"""Instruments and letters from the bytes of their files."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from expectations.base import forms
from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput
from expectations.base.total import total
from expectations.instruments.agreement import Agreement
from expectations.instruments.letter import Letter
from expectations.instruments.orders import CourtOrder

Instrument = Agreement | CourtOrder


class Kind(StrEnum):
    """What the key `kind` of an instrument can say."""

    AGREEMENT = "agreement"
    COURT_ORDER = "court_order"


KINDS: Mapping[Kind, type[Agreement] | type[CourtOrder]] = total(
    Kind, {Kind.AGREEMENT: Agreement, Kind.COURT_ORDER: CourtOrder}
)


def parse_instrument(data: bytes, where: str) -> Instrument:
    """An instrument from the bytes of its file; raises BadInput naming file and key, never quoting the value."""
    model, table = _read(data, where)
    remedy = f"sluicegate schema {table['kind']} says what to write."
    return forms.validated(model, table, where, "INSTRUMENT_INVALID", remedy)


def instrument_problems(data: bytes, where: str) -> list[forms.Problem]:
    """All that is wrong with an instrument's form, by key; raises BadInput if it is no TOML or of no known kind."""
    return forms.problems(*_read(data, where))


def _read(data: bytes, where: str) -> tuple[type[Agreement] | type[CourtOrder], dict[str, Any]]:
    table = forms.toml(data, where, "INSTRUMENT_UNREADABLE")
    kind = table.get("kind")
    if kind not in list(Kind):
        remedy = f"Write kind = one of {sorted(map(str, Kind))}."
        raise BadInput("INSTRUMENT_KIND", "kind is missing or unknown", where=where, remedy=remedy)
    return KINDS[Kind(kind)], table


def parse_letter(data: bytes, where: str = "letter.toml") -> Letter:
    """The letter from its bytes; raises BadInput naming the key at fault, never quoting the value."""
    return forms.validated(Letter, forms.toml(data, where, "LETTER_UNREADABLE"), where, "LETTER_INVALID")


def instrument_digest(data: bytes) -> str:
    """What is enrolled: SHA-256 of the file's bytes. A changed file is a new version."""
    return of_bytes(data)
