"""CSV (RFC 4180, UTF-8, one header line; comma, unless the caller says otherwise) to text columns.

Blocks without a fault are parsed at once by Arrow. A block with one is read again line by line, so that the fault costs its
own row only. A record that spans lines is one row (which the screens reject: no field may hold a line break), unless it
does not end as it should: then its first line alone is the bad row, and reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from expectations.errors import BadInput
from pipelines.ingest.blocks import MAX_LINE, Blocks, has_long_line, line_count
from pipelines.ingest.reading import Read, Reject, bytes_of, check_columns, whole

MAX_SPAN = 20  # lines that one record may span; more is a quote that was never closed
_END = "\0"
_CR = "\u0100"  # stands for a lone CR while csv reads; no Latin-1 text, which keeps every byte, holds it
Check = Callable[[list[str], str], None]
_BOM = b"\xef\xbb\xbf"  # Arrow drops it at the start of each block; only that of the file is no text


def read_csv(blocks: Blocks, where: str, *, check: Check = check_columns, delimiter: str = ",") -> Iterator[Read]:
    """Stretches of the file in order; raises BadInput on its header (HEADER_UNREADABLE, and what `check` raises)."""
    names: list[str] = []
    row = 1
    for block in blocks:
        if not names:
            line, _, block = block.partition(b"\n")
            names = header(line, where, delimiter)
            check(names, where)
        if not block:
            continue
        table = at_once(block, names, delimiter)
        read = _line_by_line(block, names, row, blocks, delimiter) if table is None else whole(table, row)
        row += read.count
        yield read


def header(line: bytes, where: str, delimiter: str = ",") -> list[str]:
    """The column names of a CSV file's first line; raises BadInput (HEADER_UNREADABLE)."""
    try:
        text = line.removeprefix(_BOM).decode("utf-8").rstrip("\r")
        names = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        raise BadInput(
            "HEADER_UNREADABLE", "the first line is not a CSV header in UTF-8", where=where,
            remedy="Export the file as comma-separated UTF-8, and check that its format and compression are as named.",
        ) from None  # fmt: skip
    return names


def at_once(block: bytes, names: list[str], delimiter: str = ",") -> pa.Table | None:
    """The block as a table, or None if anything in it needs a closer look."""
    if (
        block.startswith(_BOM)
        or has_long_line(block)
        or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n"))
    ):
        return None
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=False, ignore_empty_lines=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={n: pa.string() for n in names}, strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    if table.num_rows != line_count(block):
        return None  # an empty line, or a quote that swallowed a line break
    swallowed = b'"' in block and any(b"\n" in data for column in table.columns for data in bytes_of(column))
    return None if swallowed else table


def _line_by_line(block: bytes, names: list[str], first: int, blocks: Blocks, delimiter: str) -> Read:
    lines = [line.removesuffix(b"\r") for line in block.split(b"\n")]
    records: list[list[str]] = []
    rows: list[int] = []
    rejects: list[Reject] = []
    row, at = first, 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        fields, used = _record(lines, at, len(names), delimiter)
        if fields is None and at + used >= len(lines) and used <= MAX_SPAN and not blocks.ended:
            blocks.give_back(b"\n".join(lines[at:]))
            break
        problem = _problem(lines[at], fields, names)
        if problem is not None:
            rejects.append(Reject(row, *problem))
            used = 1
        elif fields is not None:
            records.append(fields)
            rows.append(row)
        row, at = row + 1, at + used
    columns = list(zip(*records, strict=True)) if records else [()] * len(names)
    arrays = [pa.array([_text(v) for v in column], pa.string()) for column in columns]
    return Read(row - first, pa.table(arrays, names=names), np.array(rows, dtype=np.int64), rejects)


def _record(lines: list[bytes], at: int, width: int, delimiter: str) -> tuple[list[str] | None, int]:
    """Fields (bytes as Latin-1) of the record that begins on line `at`, and its lines; None if its quote stays open."""
    line, used = lines[at], 1
    while len(line) <= MAX_LINE:
        text = line.decode("latin-1").replace("\r", _CR) + delimiter + _END + "\n"
        fields = next(csv.reader([text], delimiter=delimiter))
        if fields[-1] == _END:
            return fields[:-1], used
        if len(fields) > width or used > MAX_SPAN or at + used >= len(lines):
            break
        line, used = line + b"\n" + lines[at + used], used + 1
    return None, used


def _problem(line: bytes, fields: list[str] | None, names: list[str]) -> tuple[str | None, str] | None:
    """(field, code) of what is wrong with a record, or None."""
    if len(line) > MAX_LINE:
        return None, "LINE_TOO_LONG"
    if fields is None or len(fields) != len(names):
        return None, "RAGGED_ROW"
    for name, value in zip(names, fields, strict=True):
        if not value.isascii() and _text(value) is None:
            return name, "BAD_ENCODING"
    return None


def _text(value: str) -> str | None:
    """A field out of its Latin-1 bytes; None if they are not UTF-8."""
    try:
        return value if value.isascii() else value.replace(_CR, "\r").encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return None
