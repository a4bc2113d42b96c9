"""CSV (RFC 4180, UTF-8, one header line) to text columns, for submissions, tables of addresses and registers.

Blocks without a fault are parsed at once by Arrow. A block with one is read again record by record, so that the fault
costs its own row only: of a record that does not end as it should, the first line is a bad row; reading goes on after
it.

DuckDB's read_csv is for CSV that we wrote ourselves. Of what others wrote it leaves out everything after a quote that
never closes, silently, and knows no row by its number.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from expectations.base.errors import BadInput
from pipelines.read.blocks import BLOCK, MAX_LINE, Source, Submitted, blocks, has_long_line, line_count, opened
from pipelines.read.stretch import Read, Reject, bytes_of, check_columns, whole

_ROWS = 10_000  # rows of a stretch that is read record by record
_END = "\0"
_CR = "\u0100"  # stands for a lone CR while csv reads; no Latin-1 text, which keeps every byte, holds it
_BOM = b"\xef\xbb\xbf"  # Arrow drops it at the start of each block; only that of the file is no text


@dataclass(frozen=True)
class Dialect:
    """How a file may be written.

    longest    bytes of a record; beyond that, a quote was never closed
    lines      that one record may span
    faithful   a record of several lines is as its writer meant it: its quotes must be right, its line breaks stay as
               they are, and it is one row even if it is not UTF-8; else each of its lines counts for itself as soon as
               anything is wrong with it
    """

    delimiter: str = ","
    longest: int = MAX_LINE
    lines: int = 21
    faithful: bool = False


SUBMISSION = Dialect()
TABLE = Dialect(longest=1 << 20, lines=1 << 20, faithful=True)  # of its reader's own, with any columns


def requests(file: Submitted) -> Iterator[Read]:
    """The rows of a submission's CSV; raises BadInput as `CsvFile` and `check_columns` do."""
    with opened(file.path, file.compression, file.where) as source:
        table = CsvFile(source, size=file.block)
        if not table.empty:
            check_columns(table.names, file.where, file.required)
        yield from table.reads()


class CsvFile:
    """A CSV whose header was read: `names` are its columns. Raises BadInput as `header` and `Source.read` do."""

    def __init__(self, source: Source, dialect: Dialect = SUBMISSION, size: int = BLOCK) -> None:
        self.dialect = dialect
        self._blocks = blocks(source, size, dialect.longest)
        first = next(self._blocks, b"")
        line, _, self._rest = first.partition(b"\n")
        self.empty = not first
        self.names = [] if self.empty else header(line, source.where, dialect.delimiter)

    def reads(self, columns: Sequence[str] | None = None, key: str | None = None) -> Iterator[Read]:
        """Stretches of the file in order, with `columns` (else all), and the column `key` of every row, if given."""
        names, row = self.names, 1
        at = [names.index(c) for c in columns] if columns is not None else list(range(len(names)))
        key_at = names.index(key) if key is not None else None
        records = _Records(self._blocks, names, at if key_at is None else [key_at, *at], self.dialect)
        for block in chain([self._rest], self._blocks):
            table = at_once(block, names, self.dialect.delimiter) if block else None
            if table is not None:
                keys = None if key_at is None else table.column(key_at).combine_chunks()
                yield whole(table.select(at), row, keys)
                row += table.num_rows
            elif block:
                found = records.beginning_in(block)
                while some := list(islice(found, _ROWS)):
                    yield _read(some, names, at, key_at, row)
                    row += len(some)


def header(line: bytes, where: str, delimiter: str = ",") -> list[str]:
    """The column names of a CSV file's first line; raises BadInput (HEADER_UNREADABLE)."""
    try:
        text = line.removeprefix(_BOM).decode("utf-8").rstrip("\r")
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        remedy = "Export the file as comma-separated UTF-8, and check that its format and compression are as named."
        message = "the first line is not a CSV header in UTF-8"
        raise BadInput("HEADER_UNREADABLE", message, where=where, remedy=remedy) from None


def at_once(block: bytes, names: list[str], delimiter: str = ",") -> pa.Table | None:
    """The block as a table, or None if anything in it needs a closer look."""
    lone_cr = b"\r" in block and block.count(b"\r") != block.count(b"\r\n")
    may_be_cut_off = not block.endswith(b"\n") and b'"' in block  # Arrow closes a quote that is open at the end
    if lone_cr or may_be_cut_off or block.startswith(_BOM) or has_long_line(block):
        return None
    text = {n: pa.string() for n in names}
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=False, ignore_empty_lines=True),
            convert_options=pa_csv.ConvertOptions(column_types=text, strings_can_be_null=False),
        )
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    if table.num_rows != line_count(block):
        return None  # an empty line, or a quote that swallowed a line break
    swallowed = b'"' in block and any(b"\n" in data for column in table.columns for data in bytes_of(column))
    return None if swallowed else table


# fields (bytes as Latin-1); field at fault and code, if it is rejected
_Record = tuple[list[str], str | None, str | None]


class _Records:
    """Records of the blocks that need a closer look; ends where a record ends with its block."""

    def __init__(self, blocks: Iterator[bytes], names: list[str], checked: list[int], dialect: Dialect) -> None:
        self.blocks, self.names, self.checked, self.dialect = blocks, names, checked, dialect
        self.lines: deque[bytes] = deque()
        self.taken: list[bytes] = []  # the lines of the record at hand
        # the limit of Python's csv is one for the whole process: only ever raised
        csv.field_size_limit(max(csv.field_size_limit(), 2 * dialect.longest))

    def beginning_in(self, block: bytes) -> Iterator[_Record]:
        """The records that begin in `block`, and in those that are needed to end the last of them."""
        self.lines.extend(self._lines(block))
        reader = self._reader()
        while True:
            self.taken.clear()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except (csv.Error, OverflowError):
                fields = None
            if fields == []:  # a blank line is no row
                continue
            ended = fields is not None and len(fields) == len(self.names)
            record = self._checked(fields) if fields is not None and ended else self._alone(self.taken[0])
            if not ended or (record[2] and not self.dialect.faithful):
                self.lines.extendleft(reversed(self.taken[1:]))
                reader = self._reader()
            yield record

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self.dialect.delimiter, strict=self.dialect.faithful)

    def _feed(self) -> Iterator[str]:
        """Lines for csv, which asks for another while a record has not ended; OverflowError if that is too long."""
        size = 0
        while True:
            if self.taken and not self.lines:  # the record goes on in the next block
                self.lines.extend(self._lines(next(self.blocks, b"")))
            if not self.taken and not self.lines:
                return
            if not self.lines or len(self.taken) == self.dialect.lines:
                raise OverflowError
            size = len(self.lines[0]) + (size + 1 if self.taken else 0)
            self.taken.append(self.lines.popleft())
            if size > self.dialect.longest:
                raise OverflowError
            # each byte one character; of its CRs only that of a line break stays one
            line = self.taken[-1]
            end = b"\r" if self.dialect.faithful and line.endswith(b"\r") else b""
            yield line.removesuffix(end).decode("latin-1").replace("\r", _CR) + end.decode() + "\n"

    def _lines(self, block: bytes) -> list[bytes]:
        lines = block.removesuffix(b"\n").split(b"\n") if block else []
        return lines if self.dialect.faithful else [line.removesuffix(b"\r") for line in lines]

    def _alone(self, line: bytes) -> _Record:
        """A line that begins no record: its fields where they can be read, and the code."""
        text = line[: self.dialect.longest].removesuffix(b"\r").decode("latin-1").replace("\r", _CR)
        delimiter = self.dialect.delimiter
        fields = next(csv.reader([f"{text}{delimiter}{_END}\n"], delimiter=delimiter))
        closed = fields[-1] == _END
        if len(line) > self.dialect.longest:
            return fields[: -2 if closed else -1], None, "LINE_TOO_LONG"  # the last one was cut
        if closed and len(fields) - 1 == len(self.names):
            return self._checked(fields[:-1])
        return fields[:-1], None, "RAGGED_ROW"

    def _checked(self, fields: list[str]) -> _Record:
        torn = (self.names[i] for i in self.checked if _text(fields[i], "ignore") != _text(fields[i], "replace"))
        bad = next(torn, None)
        return fields, bad, "BAD_ENCODING" if bad is not None else None


def _read(records: list[_Record], names: list[str], at: list[int], key_at: int | None, first: int) -> Read:
    numbered = list(enumerate(records, first))
    rejects = [Reject(row, field, code) for row, (_, field, code) in numbered if code]
    good = [(row, fields) for row, (fields, _, code) in numbered if not code]
    columns = [pa.array([_text(fields[i]) for _, fields in good], pa.string()) for i in at]
    table = pa.table(columns, names=[names[i] for i in at])
    keys = None
    if key_at is not None:
        texts = [_text(fields[key_at], errors="replace") if key_at < len(fields) else None for fields, _, _ in records]
        keys = pa.array(texts, pa.string())
    return Read(len(records), table, np.array([row for row, _ in good], dtype=np.int64), rejects, keys)


def _text(value: str, errors: str = "strict") -> str:
    """A field out of its Latin-1 bytes."""
    plain = value.replace(_CR, "\r")
    return plain if plain.isascii() else plain.encode("latin-1").decode("utf-8", errors)
