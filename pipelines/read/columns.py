"""The columns of a file of requests: which it may have, and which it must."""

from __future__ import annotations

from collections.abc import Sequence

from expectations.base.errors import BadInput
from expectations.contracts.request import RAW_NAMES, REQUIRED_COLUMNS

REMEDY = "See sluicegate schema request for the columns."


def check_columns(names: Sequence[str], where: str, required: tuple[str, ...] = REQUIRED_COLUMNS) -> None:
    """Raises BadInput (DUPLICATE_COLUMN, UNKNOWN_COLUMN, MISSING_COLUMN) unless these are the columns of requests.

    A column is named by its place: the first line of a file without a header holds a person's data.
    """
    for number, name in enumerate(names, 1):
        place = f"{where}, column {number}"
        if name not in RAW_NAMES:
            message = "the file has a column that requests do not have"
            raise BadInput("UNKNOWN_COLUMN", message, where=place, remedy=REMEDY)
        if name in names[: number - 1]:
            raise BadInput("DUPLICATE_COLUMN", f"duplicate column {name}", where=place, remedy="Keep one.")
    check_present(set(names), where, required)


def check_present(names: set[str], where: str, required: tuple[str, ...]) -> None:
    """Raises BadInput (MISSING_COLUMN) unless the required columns, a form of name and a form of address are there."""
    needs = [[{c}] for c in required]
    needs.append([{"full_name"}, {"first_name", "last_name"}])
    needs.append([{"address"}, {"street", "city", "state", "zip"}])
    for forms in needs:
        if not any(form <= names for form in forms):
            said = ", or ".join(" + ".join(n for n in RAW_NAMES if n in form) for form in forms)
            raise BadInput("MISSING_COLUMN", f"the file has no column {said}", where=where, remedy=REMEDY)
