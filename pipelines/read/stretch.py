"""What every reader hands over: a stretch of a file, its readable rows and its rejects.

A row that cannot be taken as it stands becomes one reject: row, field at fault (the first), code. No other row suffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Reject:
    """One row that could not be read; `row` counts from 1 in its file."""

    row: int
    field: str | None
    code: str


@dataclass(frozen=True)
class Read:
    """A stretch of a file: `count` rows, of which `table` holds the readable ones as text and `rows` their numbers.

    keys   of all its rows, rejected ones included, the column that was asked for as their key
    """

    count: int
    table: pa.Table
    rows: np.ndarray
    rejects: list[Reject]
    keys: pa.Array | None = None


def whole(table: pa.Table, first: int, keys: pa.Array | None = None) -> Read:
    """A stretch of which every row could be read, the first one being number `first`."""
    rows = np.arange(first, first + table.num_rows, dtype=np.int64)
    return Read(table.num_rows, table, rows, [], keys)


def bytes_of(column: pa.ChunkedArray) -> Iterator[bytes]:
    """The values of a text column end to end, chunk by chunk."""
    for chunk in column.chunks:
        buffer = chunk.buffers()[2]
        if buffer is not None:
            yield buffer.to_pybytes()
