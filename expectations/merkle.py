"""The Merkle root of a batch's accounting: one hash in the ledger that fixes every accounted row, and its place.

Hashes as in RFC 6962 (Certificate Transparency): a leaf is SHA-256 of a zero byte and the row, a node is SHA-256 of a one
byte and its two children, so that no node can be passed off as a row. An unpaired node rises as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import duckdb


def root(leaves: Iterable[bytes]) -> str:
    """Root over leaf hashes (32 bytes each) in their order, in hex; of no leaves: SHA-256 of nothing. Memory: log n."""
    peaks: list[tuple[int, bytes]] = []  # complete subtrees (height, hash), highest first
    for leaf in leaves:
        height, node = 0, leaf
        while peaks and peaks[-1][0] == height:
            node = _node(peaks.pop()[1], node)
            height += 1
        peaks.append((height, node))
    if not peaks:
        return hashlib.sha256().hexdigest()
    _, node = peaks.pop()
    while peaks:
        node = _node(peaks.pop()[1], node)
    return node.hex()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf(row: str) -> bytes:
    """The leaf hash of one row in its canonical spelling."""
    return hashlib.sha256(b"\x00" + row.encode()).digest()


def leaves(connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str], order: str) -> Iterator[bytes]:
    """Leaf hashes of the rows of `relation`, `columns` as JSON, sorted by `order` (total). Streams."""
    fields = ", ".join(f'"{c}" := "{c}"' for c in columns)
    row = f"CAST(to_json(struct_pack({fields})) AS VARCHAR)"
    query = f"SELECT unhex(sha256('\\x00'::BLOB || encode({row}))) AS h FROM {relation} ORDER BY {order}"
    for batch in connection.execute(query).to_arrow_reader(100_000):
        yield from batch.column(0).to_pylist()
