"""The Merkle root of a batch's accounting: one hash in the ledger that fixes every accounted row, and its place.

Hashes as in RFC 6962 (Certificate Transparency), by the algorithm in force or the one that is given: a leaf is the hash
of a zero byte and the row, a node that of a one byte and its two children, so that no node can be passed off as a row.
An unpaired node rises as it is.
"""

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow as pa

from expectations.base import algorithms
from expectations.base.algorithms import HASHES, Scheme

_Hash = Callable[..., Any]
WIDTH = 32  # bytes of a hash
_BLOCK = 1 << 14  # leaves that are hashed at a time: whole levels at once cost a third of one leaf after the other


class Tree:
    """A tree that grows at its end and forgets its leaves: memory is that of one block."""

    def __init__(self, scheme: Scheme | None = None) -> None:
        self._make = HASHES[scheme or algorithms.in_force()]
        self._peaks: list[tuple[int, bytes]] = []  # complete subtrees (height in blocks, hash), highest first
        self._rest = bytearray()  # leaves that fill no block yet

    def add(self, leaves: bytes | memoryview) -> None:
        """Appends leaf hashes, end to end."""
        self._rest += leaves
        size, start = _BLOCK * WIDTH, 0
        while len(self._rest) - start >= size:
            self._push(_subtree(bytes(self._rest[start : start + size]), self._make))
            start += size
        del self._rest[:start]

    def root(self) -> str:
        """The root over all leaves so far, in hex; of no leaves: the hash of nothing."""
        nodes = [node for _, node in self._peaks]
        if self._rest:
            nodes.append(_subtree(bytes(self._rest), self._make))
        if not nodes:
            return str(self._make().hexdigest())
        right = nodes.pop()
        while nodes:
            right = _node(nodes.pop() + right, self._make)
        return right.hex()

    def _push(self, node: bytes) -> None:
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            node = _node(self._peaks.pop()[1] + node, self._make)
            height += 1
        self._peaks.append((height, node))


def _subtree(level: bytes, make: _Hash) -> bytes:
    """The root of one or more leaves."""
    while len(level) > WIDTH:
        paired = len(level) // (2 * WIDTH) * (2 * WIDTH)
        nodes = [make(b"\x01" + level[at : at + 2 * WIDTH]).digest() for at in range(0, paired, 2 * WIDTH)]
        level = b"".join(nodes) + level[paired:]
    return level


def _node(children: bytes, make: _Hash) -> bytes:
    return bytes(make(b"\x01" + children).digest())


def leaf(row: str, scheme: Scheme | None = None) -> bytes:
    """The leaf hash of one row in its canonical spelling."""
    return bytes(HASHES[scheme or algorithms.in_force()](b"\x00" + row.encode()).digest())


def leaves(connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str], order: str) -> Iterator[bytes]:
    """Leaf hashes of the rows of `relation`, `columns` as JSON, sorted by `order` (total); many at a time, joined."""
    fields = ", ".join(f'"{c}" := "{c}"' for c in columns)
    row = f"CAST(to_json(struct_pack({fields})) AS VARCHAR)"
    scheme = algorithms.in_force()
    algorithms.install(connection, scheme)
    hashed = algorithms.sql_digest(f"'\\x00'::BLOB || encode({row})", scheme)
    query = f"SELECT unhex({hashed}) AS h FROM {relation} ORDER BY {order}"
    for batch in connection.execute(query).to_arrow_reader(100_000):
        yield b"".join(batch.column(0).cast(pa.binary()).to_pylist())
