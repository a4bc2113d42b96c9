"""What the checkpoints derive again from the raw fields of the rows, whatever the stages wrote beside them."""

from functools import partial
from pathlib import Path

import pyarrow as pa

from expectations import address
from expectations.contracts.request import RAW_NAMES
from expectations.contracts.stages import ADDRESS as PARSED
from expectations.contracts.stages import STANDARD
from expectations.facts.letter import LetterFacts
from expectations.facts.sql import beside_request
from expectations.gx.checks import Setup
from expectations.gx.tables import Tables
from expectations.names import standard

ADDRESS = ("address", "street", "unit", "city", "state", "zip")  # as it was asked for
# What `fields` gives that is not the letter's: raw, standardised and parsed. The key of a request id is the holder's.
COLUMNS = (*RAW_NAMES, *(f.name for f in (*STANDARD, *PARSED) if f.name != "request_key"))
AHEAD = "ahead"  # the table of rows that were derived already


def setup(facilities: Path | None = None) -> tuple[Setup, ...]:
    """What defines the macros that `again` uses. `facilities`: the operator's list that the batch was received with."""
    return standard.setup, partial(address.setup, facilities=facilities)


def table_ahead(made: pa.Table | None) -> Tables:
    """The table AHEAD for a suite that is given one: none for the others."""
    return {} if made is None else {AHEAD: lambda _: made}


def fields(
    rows: str, premises: tuple[str, ...], left_out: tuple[str, ...], *, keep: str = "", ahead: str | None = None
) -> str:
    """A SELECT of ordinal, origin, `keep` and COLUMNS, derived again from the raw fields.

    rows      relation of canonical rows; of it only ordinal, origin, the raw fields and `keep` (a SELECT list) are read
    premises  the requester's own addresses
    left_out  what the agreement lets be left out of an address
    ahead     a relation with ordinal, origin and COLUMNS where these rows were derived already (`ahead.Ahead`), and
              derived_codes, which then come with them
    """
    read = ", ".join(["ordinal", "origin", *RAW_NAMES, *([keep] if keep else [])])
    if ahead:
        found = ", ".join(f"a.{name}" for name in (*COLUMNS, "derived_codes") if name not in RAW_NAMES)
        return f"SELECT r.*, {found} FROM (SELECT {read} FROM {rows}) r LEFT JOIN {ahead} a USING (ordinal, origin)"
    named = standard.derive(f"(SELECT {read} FROM {rows})")
    return address.derive(f"({named})", one_line=True, premises=premises, left_out=left_out)


def again(
    rows: str,
    letter: LetterFacts,
    premises: tuple[str, ...],
    left_out: tuple[str, ...],
    *,
    keep: str = "",
    ahead: str | None = None,
) -> str:
    """`fields` with all else that request-phase rules read: what the letter says."""
    return f"SELECT *, {beside_request(letter)} FROM ({fields(rows, premises, left_out, keep=keep, ahead=ahead)})"
