"""What the readers of a table of addresses hand over: every row's id, and the address fields of the rows that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from expectations.errors import BadInput
from pipelines.ingest.reading import Read, screen

ID = "id"
FIELDS = ("address", "street", "unit", "city", "state", "zip")


@dataclass(frozen=True)
class Piece:
    """A stretch of the table. `ids` are those of all its rows, `read` holds the address fields and the rows at fault."""

    ids: pa.Array
    read: Read


def piece(ids: pa.Array, read: Read) -> Piece:
    """A stretch as the ingest stage screens it: a control character or a field too long costs the row that has it."""
    return Piece(ids, screen(read))


def fields_of(names: Sequence[str], where: str) -> list[str]:
    """The address fields among the columns `names`; raises BadInput (MISSING_COLUMN, DUPLICATE_COLUMN)."""
    found = [name for name in FIELDS if name in names]
    for name in (ID, *found):
        if names.count(name) > 1:
            raise BadInput("DUPLICATE_COLUMN", f"column {name} stands twice", where=where, remedy="Keep one.")
    if ID not in names:
        raise _missing(f"the file has no column {ID}", where)
    if not found:
        raise _missing("the file has no column of an address", where)
    return found


def _missing(message: str, where: str) -> BadInput:
    return BadInput(
        "MISSING_COLUMN", message, where=where,
        remedy=f"Give {ID}, and either address (one line) or street, unit, city, state and zip.",
    )  # fmt: skip
