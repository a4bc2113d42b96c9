"""Bytes of a data file in blocks of whole lines, in bounded memory whatever the file holds.

A compressed file is decompressed as it is read, up to a ratio that no honest table reaches. A line without end is cut
just above the longest length allowed, so that whoever reads it sees one line that is too long, and the next line whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from expectations.errors import BadInput

BLOCK = 1 << 20
MAX_LINE = 64 << 10
MAX_RATIO, RATIO_FLOOR = 200, 64 << 20  # the ratio counts only beyond this many bytes


class Source:
    """A data file as a stream of its own bytes, decompressed and counted."""

    def __init__(self, path: Path, compression: str, where: str) -> None:
        self.where, self.compression = where, compression
        self.packed, self.taken = path.stat().st_size, 0
        raw = pa.OSFile(str(path), "rb")
        self.stream = raw if compression == "none" else pa.CompressedInputStream(raw, compression)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end; raises BadInput: COMPRESSION_BROKEN, COMPRESSED_BOMB."""
        try:
            data: bytes = self.stream.read(size)
        except (OSError, pa.ArrowException):
            remedy = "Compress it again, or name its compression rightly."
            message = f"the file is not whole {self.compression}"
            raise BadInput("COMPRESSION_BROKEN", message, where=self.where, remedy=remedy) from None
        self.taken += len(data)
        if self.taken > max(RATIO_FLOOR, MAX_RATIO * self.packed):
            remedy = "Send it uncompressed."
            message = f"the file grows to more than {MAX_RATIO} times its size"
            raise BadInput("COMPRESSED_BOMB", message, where=self.where, remedy=remedy)
        return data


@contextmanager
def opened(path: Path, compression: str, where: str) -> Iterator[Source]:
    """The bytes of `path`, decompressed; closed at the end."""
    source = Source(path, compression, where)
    try:
        yield source
    finally:
        source.stream.close()


class Blocks:
    """Iterates over blocks of whole lines. The last block may lack its last newline; `ended` is true from then on."""

    def __init__(self, source: Source, size: int = BLOCK, longest: int = MAX_LINE) -> None:
        self.source, self.size, self.longest = source, size, longest
        self.ended, self._back = False, b""

    def give_back(self, data: bytes) -> None:
        """Puts the unread end of the block just given before the next one."""
        self._back = data

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        while not self.ended:
            chunk = self.source.read(self.size)
            self.ended = not chunk
            data = rest + chunk
            cut = len(data) if self.ended else data.rfind(b"\n") + 1
            if cut:
                yield data[:cut]
                rest, self._back = self._back + data[cut:], b""
            else:
                rest = data
            if b"\n" not in rest:
                rest = rest[: self.longest + 1]


def has_long_line(block: bytes) -> bool:
    """False only if no line can be longer than MAX_LINE: each window of half that length holds a newline."""
    half = MAX_LINE // 2
    return any(block.find(b"\n", i, i + half) < 0 for i in range(0, len(block) - half + 1, half))


def line_count(block: bytes) -> int:
    """Lines in a block, the last one with or without its newline."""
    return block.count(b"\n") + (not block.endswith(b"\n"))
