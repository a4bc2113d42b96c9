"""The columns of a table of addresses: every row's id, and fields of an address."""

from __future__ import annotations

from collections.abc import Sequence

from expectations.base.errors import BadInput

ID = "id"
FIELDS = ("address", "street", "unit", "city", "state", "zip")


def fields_of(names: Sequence[str], where: str) -> list[str]:
    """The address fields among the columns `names`; raises BadInput (MISSING_COLUMN, DUPLICATE_COLUMN)."""
    found = [name for name in FIELDS if name in names]
    for name in (ID, *found):
        if names.count(name) > 1:
            raise BadInput("DUPLICATE_COLUMN", f"duplicate column {name}", where=where, remedy="Keep one.")
    if ID not in names:
        raise _missing(f"the file has no column {ID}", where)
    if not found:
        raise _missing("the file has no column of an address", where)
    return found


def _missing(message: str, where: str) -> BadInput:
    remedy = f"Give {ID}, and either address (one line) or street, unit, city, state and zip."
    return BadInput("MISSING_COLUMN", message, where=where, remedy=remedy)
