"""What every reader hands over, a stretch of a file with readable rows and rejects; and the checks of all formats.

A row that cannot be taken as it stands becomes one reject: row, field at fault (the first), code. No other row suffers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.base.errors import BadInput
from expectations.contracts.request import RAW_NAMES, REQUIRED_COLUMNS

REMEDY = "See sluicegate schema request for the columns."
MAX_FIELD = 1000
_CONTROLS = bytes([*range(0x20), 0x7F])


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


def check_columns(names: Sequence[str], where: str, required: tuple[str, ...] = REQUIRED_COLUMNS) -> None:
    """Raises BadInput (DUPLICATE_COLUMN, UNKNOWN_COLUMN, MISSING_COLUMN) unless these are the columns of requests. A
    column is named by its place: the first line of a file without a header holds a person's data."""
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


def screen(read: Read) -> Read:
    """Takes out the rows with a control character, a field that is too long, or no request id."""
    faults = np.full(read.table.num_rows, -1, dtype=np.int16)
    found: list[tuple[str, str]] = []
    for name in read.table.column_names:
        for code, mask in _field_faults(name, read.table.column(name)):
            faults[mask & (faults < 0)] = len(found)
            found.append((name, code))
    bad = faults >= 0
    if not bad.any():
        return read
    rejects = [Reject(int(r), *found[f]) for r, f in zip(read.rows[bad], faults[bad], strict=True)]
    table = read.table.filter(pa.array(~bad))
    return replace(read, table=table, rows=read.rows[~bad], rejects=[*read.rejects, *rejects])


def _field_faults(name: str, column: pa.ChunkedArray) -> list[tuple[str, np.ndarray]]:
    """(code, which rows) of each fault that some row has in this field."""
    tests = []
    # whole buffers are looked at, not rows; U+0080 to U+009F begin with the byte C2
    if any(len(data.translate(None, _CONTROLS)) != len(data) or b"\xc2" in data for data in bytes_of(column)):
        tests.append(("CONTROL_CHARACTER", pc.match_substring_regex(column, r"\p{Cc}")))
    if (pc.max(pc.binary_length(column)).as_py() or 0) > MAX_FIELD:
        tests.append(("FIELD_TOO_LONG", pc.greater(pc.utf8_length(column), MAX_FIELD)))
    if name == "request_id":
        given = pc.fill_null(pc.match_substring_regex(column, r"[\p{L}\p{N}]"), False)
        tests.append(("NO_REQUEST_ID", pc.invert(given)))
    masks = [(code, pc.fill_null(mask, False).to_numpy()) for code, mask in tests]
    return [(code, mask) for code, mask in masks if mask.any()]
