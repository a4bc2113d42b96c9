"""JSON Lines (one object a line, UTF-8) to text columns. Numbers are kept as they were written.

As with CSV, a block without a fault is parsed at once by Arrow, any other line by line.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.json as pa_json

from expectations.base.errors import BadInput
from expectations.contracts.request import RAW_NAMES
from pipelines.read.blocks import MAX_LINE, Submitted, blocks, has_long_line, line_count, opened
from pipelines.read.stretch import REMEDY, Read, Reject, check_present, whole

_SCHEMA = pa.schema([(name, pa.string()) for name in RAW_NAMES])


def requests(file: Submitted) -> Iterator[Read]:
    """The rows of a submission's JSON Lines; raises BadInput on a key that requests do not have (UNKNOWN_COLUMN), and
    at the end if a required column was given in no row (MISSING_COLUMN)."""
    row, seen, complete = 1, set[str](), True
    with opened(file.path, file.compression, file.where) as source:
        for block in blocks(source, file.block):
            if row == 1:
                block = block.removeprefix(b"\xef\xbb\xbf")
            table = at_once(block)
            read = _line_by_line(block, row, file.where) if table is None else whole(table, row)
            row += read.count
            complete &= not read.rejects  # a row that could not be read may have the column
            seen |= {n for n in RAW_NAMES if n not in seen and read.table.column(n).null_count < read.table.num_rows}
            yield read
    if complete and row > 1:
        check_present(seen, file.where, file.required)


def at_once(block: bytes) -> pa.Table | None:
    """The block as a table, or None if anything in it needs a closer look."""
    lines = line_count(block)
    joints = block.count(b"}\n{") + block.count(b"}\r\n{")
    if joints != lines - 1 or b"}{" in block or has_long_line(block):
        return None
    # Arrow crashes on a line that is no object, and must not walk down what is nested deep
    whole_lines = block.strip(b"\r\n ")
    if (
        not (whole_lines.startswith(b"{") and whole_lines.endswith(b"}"))
        or block.count(b"{") != lines
        or b"[[" in block
    ):
        return None
    try:
        if not block.isascii():
            block.decode("utf-8")
        table = pa_json.read_json(
            pa.BufferReader(block),
            read_options=pa_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            parse_options=pa_json.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="error"),
        )
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    return table if table.num_rows == lines else None


def _line_by_line(block: bytes, first: int, where: str) -> Read:
    records: list[dict[str, str | None]] = []
    rows: list[int] = []
    rejects: list[Reject] = []
    row = first
    for line in block.split(b"\n"):
        if not line.strip(b"\r"):
            continue
        found = _record(line, f"{where}, row {row}")
        if isinstance(found, dict):
            records.append(found)
            rows.append(row)
        else:
            rejects.append(Reject(row, *found))
        row += 1
    table = pa.Table.from_pylist(records, schema=_SCHEMA)
    return Read(row - first, table, np.array(rows, dtype=np.int64), rejects)


def _record(line: bytes, where: str) -> dict[str, str | None] | tuple[str | None, str]:
    """The record of a line, or (field, code) of what is wrong with it."""
    if len(line) > MAX_LINE:
        return None, "LINE_TOO_LONG"
    try:
        text = line.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except UnicodeDecodeError:
        return None, "BAD_ENCODING"
    except (ValueError, RecursionError):
        return None, "BAD_JSON"
    if not isinstance(found, dict):
        return None, "BAD_JSON"
    for name, value in found.items():
        if name not in RAW_NAMES:
            raise BadInput("UNKNOWN_COLUMN", "the row has a key that requests do not have", where=where, remedy=REMEDY)
        if not isinstance(value, str | None):
            return name, "BAD_JSON"
        if value is not None and any("\ud800" <= c <= "\udfff" for c in value):
            return name, "BAD_ENCODING"
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")
