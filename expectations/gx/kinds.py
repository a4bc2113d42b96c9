"""The kinds of check that a suite can declare."""

from __future__ import annotations

from enum import StrEnum

from expectations.total import total


class Kind(StrEnum):
    """What a check asks of its table."""

    RULE = "rule"  # a predicate on every row
    ROWS = "rows"  # the number of rows
    COLUMNS = "columns"  # the names of the columns
    UNIQUE = "unique"  # no null and no duplicate in a column
    IN_SET = "in_set"  # only values of a closed list in a column


# Whether a check looks at rows: one that saw none has proved nothing.
LOOKS_AT_ROWS = total(
    Kind,
    {Kind.RULE: True, Kind.ROWS: False, Kind.COLUMNS: False, Kind.UNIQUE: True, Kind.IN_SET: True},
)
