"""What the checkpoints derive again from the raw fields of the rows, whatever the stages wrote beside them."""

from functools import partial
from pathlib import Path

from expectations import address
from expectations.contracts.request import RAW_NAMES
from expectations.facts.letter import LetterFacts
from expectations.facts.sql import beside_request
from expectations.gx.checks import Setup
from expectations.names import standard


def setup(facilities: Path | None = None) -> tuple[Setup, ...]:
    """What defines the macros that `again` uses. `facilities`: the operator's list that the batch was received with."""
    return standard.setup, partial(address.setup, facilities=facilities)


def again(
    rows: str, letter: LetterFacts, premises: tuple[str, ...], left_out: tuple[str, ...], *, keep: str = ""
) -> str:
    """A SELECT of ordinal, origin, the raw fields, and all that request-phase rules read, derived again from these.

    rows      relation of canonical rows; of it only ordinal, origin, the raw fields and `keep` (a SELECT list) are read
    premises  the requester's own addresses
    left_out  what the agreement lets be left out of an address
    """
    fields = ", ".join(["ordinal", "origin", *RAW_NAMES, *([keep] if keep else [])])
    named = standard.derive(f"(SELECT {fields} FROM {rows})")
    parsed = address.derive(f"({named})", one_line=True, premises=premises, left_out=left_out)
    return f"SELECT *, {beside_request(letter)} FROM ({parsed})"
