"""Bytes of a data file in blocks of whole lines, in bounded memory whatever the file holds.

A compressed file is decompressed as it is read, up to a ratio that no honest table reaches. An endless line is cut
just above the longest length allowed, so that whoever reads it sees one line that is too long, and the next line whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from expectations.contracts.request import REQUIRED_COLUMNS
from expectations.instruments import Compression

BLOCK = 1 << 20
MAX_LINE = 64 << 10
MAX_RATIO, RATIO_FLOOR = 200, 64 << 20  # the ratio counts only beyond this many bytes


class Source:
    """A data file as a stream of its own bytes, decompressed and counted."""

    def __init__(self, path: Path, compression: Compression, where: str) -> None:
        self.where, self.compression = where, compression
        self.packed, self.taken = path.stat().st_size, 0
        raw = pa.OSFile(str(path), "rb")
        self.stream = raw if compression is Compression.NONE else pa.CompressedInputStream(raw, compression.value)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end; raises BadInput: COMPRESSION_BROKEN, COMPRESSED_BOMB."""
        try:
            data: bytes = self.stream.read(size)
        except (OSError, pa.ArrowException):
            message = f"the file is not whole {self.compression}"
            remedy = "Compress it again, or name its compression rightly."
            raise BadInput("COMPRESSION_BROKEN", message, where=self.where, remedy=remedy) from None
        self.taken += len(data)
        if self.taken > max(RATIO_FLOOR, MAX_RATIO * self.packed):
            message = f"the file grows to more than {MAX_RATIO} times its size"
            raise BadInput("COMPRESSED_BOMB", message, where=self.where, remedy="Send it uncompressed.")
        return data


@dataclass(frozen=True)
class Submitted:
    """A data file of a submission, as its format's reader is given it.

    where     its name for people
    scratch   a folder that a reader may make, to unpack the file there, and delete
    """

    path: Path
    where: str
    compression: Compression
    scratch: Path
    duck: DuckSettings
    required: tuple[str, ...] = REQUIRED_COLUMNS
    block: int = BLOCK


@contextmanager
def opened(path: Path, compression: Compression, where: str) -> Iterator[Source]:
    """The bytes of `path`, decompressed; closed at the end."""
    source = Source(path, compression, where)
    try:
        yield source
    finally:
        source.stream.close()


def blocks(source: Source, size: int = BLOCK, longest: int = MAX_LINE) -> Iterator[bytes]:
    """Blocks of whole lines. The last block may lack its last newline."""
    rest = b""
    while chunk := source.read(size):
        data = rest + chunk
        cut = data.rfind(b"\n") + 1
        if cut:
            yield data[:cut]
        rest = data[cut:][: longest + 1]  # an endless line is cut
    if rest:
        yield rest


def has_long_line(block: bytes) -> bool:
    """False only if no line can be longer than MAX_LINE: each window of half that length holds a newline."""
    half = MAX_LINE // 2
    return any(block.find(b"\n", i, i + half) < 0 for i in range(0, len(block) - half + 1, half))


def line_count(block: bytes) -> int:
    """Lines in a block, the last one with or without its newline."""
    return block.count(b"\n") + (not block.endswith(b"\n"))
