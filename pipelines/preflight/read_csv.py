"""A CSV table (RFC 4180, comma, UTF-8, one header line) to pieces: one row for each record, whatever stands in it.

Unlike a submission's files it may have other columns, and a record may be as long as `LONGEST` and span any number of
lines. Blocks without a fault are parsed at once, as in ingest. In any other, a record that is no record (an open quote, too
many fields) costs its first line only, and keeps the id that stands in the id's place.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pyarrow as pa

from expectations.errors import BadInput
from pipelines.ingest.blocks import BLOCK, Blocks, Source
from pipelines.ingest.read_csv import at_once, header
from pipelines.ingest.reading import Read, Reject, whole
from pipelines.preflight.pieces import ID, Piece, fields_of, piece

LONGEST = 1 << 20  # bytes of a record; beyond that, a quote was never closed
_ROWS = 10_000
_END = "\0"
_CR = "\u0100"  # stands for a lone CR while csv reads; no Latin-1 text holds it

_Record = tuple[list[str], str | None]  # fields (bytes as Latin-1), and the code of what is wrong


def read_csv(source: Source, size: int = BLOCK) -> tuple[list[str], Iterator[Piece]]:
    """The address fields that the table has, and its pieces in order; raises BadInput on a header that is none."""
    blocks = iter(Blocks(source, size, LONGEST))
    first = next(blocks, b"")
    if not first:
        raise BadInput("FILE_EMPTY", "the file is empty", where=source.where, remedy="Give a header and rows.")
    line, _, rest = first.partition(b"\n")
    names = header(line, source.where)
    fields = fields_of(names, source.where)
    return fields, _pieces(rest, blocks, names, fields)


def _pieces(rest: bytes, blocks: Iterator[bytes], names: list[str], fields: list[str]) -> Iterator[Piece]:
    row, records = 1, _Records(blocks, len(names))
    block: bytes | None = rest
    while block is not None:
        table = at_once(block, names) if block else None
        if table is not None:
            yield piece(table.column(ID).combine_chunks(), whole(table.select(fields), row))
            row += table.num_rows
        elif block:
            found = records.beginning_in(block)
            while some := list(islice(found, _ROWS)):
                yield _piece(some, names, fields, row)
                row += len(some)
        block = next(blocks, None)


class _Records:
    """Records of the blocks that need a closer look; ends where a record ends with its block."""

    def __init__(self, blocks: Iterator[bytes], width: int) -> None:
        self.blocks, self.width = blocks, width
        self.lines: deque[bytes] = deque()
        self.taken: list[bytes] = []  # the lines of the record at hand
        # the limit of Python's csv is one for the whole process: only ever raised
        csv.field_size_limit(max(csv.field_size_limit(), 2 * LONGEST))

    def beginning_in(self, block: bytes) -> Iterator[_Record]:
        """The records that begin in `block`, and in those that are needed to end the last of them."""
        self.lines.extend(_lines(block))
        reader = csv.reader(self._feed(), strict=True)
        while True:
            self.taken.clear()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except (csv.Error, OverflowError):
                fields = None
            if fields is not None and len(fields) == self.width:
                yield fields, None
            elif fields != []:  # a blank line is no row
                line, *others = self.taken
                self.lines.extendleft(reversed(others))
                reader = csv.reader(self._feed(), strict=True)
                yield _alone(line, self.width)

    def _feed(self) -> Iterator[str]:
        size = 0
        while True:
            if not self.lines and self.taken:  # the record goes on in the next block
                self.lines.extend(_lines(next(self.blocks, b"")))
            if not self.lines:
                return
            size = len(self.lines[0]) + (size if self.taken else 0)
            self.taken.append(self.lines.popleft())
            if size > LONGEST:
                raise OverflowError
            yield _latin(self.taken[-1]) + "\n"


def _lines(block: bytes) -> list[bytes]:
    return block.removesuffix(b"\n").split(b"\n") if block else []


def _latin(line: bytes) -> str:
    """A line for csv, each byte one character; only a CR at its end is part of a line break."""
    text = line.decode("latin-1")
    return text[:-1].replace("\r", _CR) + "\r" if text.endswith("\r") else text.replace("\r", _CR)


def _alone(line: bytes, width: int) -> _Record:
    """A line that is no record for a strict reader: fields as far as they can be told, and the code."""
    text = line[:LONGEST].removesuffix(b"\r").decode("latin-1").replace("\r", _CR)
    fields = next(csv.reader([f"{text},{_END}\n"]))
    closed = fields[-1] == _END
    if len(line) > LONGEST:
        return fields[: -2 if closed else -1], "LINE_TOO_LONG"  # the last one was cut
    return fields[:-1], None if closed and len(fields) - 1 == width else "RAGGED_ROW"


def _piece(records: list[_Record], names: list[str], fields: list[str], first: int) -> Piece:
    at, places = names.index(ID), [names.index(f) for f in fields]
    ids = [_text(r[at], errors="replace") if at < len(r) else None for r, _ in records]
    good: list[list[str]] = []
    rows: list[int] = []
    rejects: list[Reject] = []
    for row, (record, code) in enumerate(records, first):
        name = None if code else next((names[i] for i in (at, *places) if not _utf8(record[i])), None)
        if code or name:
            rejects.append(Reject(row, name, code or "BAD_ENCODING"))
        else:
            rows.append(row)
            good.append([_text(record[i]) for i in places])
    columns = list(zip(*good, strict=True)) if good else [()] * len(fields)
    table = pa.table([pa.array(c, pa.string()) for c in columns], names=fields)
    return piece(pa.array(ids, pa.string()), Read(len(records), table, np.array(rows, dtype=np.int64), rejects))


def _text(value: str, errors: str = "strict") -> str:
    """A field out of its Latin-1 bytes."""
    plain = value.replace(_CR, "\r")
    return plain if plain.isascii() else plain.encode("latin-1").decode("utf-8", errors)


def _utf8(value: str) -> bool:
    if value.isascii():
        return True
    try:
        _text(value)
    except UnicodeDecodeError:
        return False
    return True
