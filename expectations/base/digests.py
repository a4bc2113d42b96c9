"""Digests: what is approved, compared and chained.

A *content digest* is SHA-256 over canonical, sorted, logical rows: it is the same for any part size, thread count,
runner and file order. A *file digest* is SHA-256 over bytes. A *keyed hash* is HMAC-SHA256: it names a person or a
request in the ledger without saying who it is.
"""

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import duckdb


def of_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def canonical_json(value: Any) -> bytes:
    """One spelling for one value: sorted keys, no spaces. What digests and signatures are taken over."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def of_json(value: Any) -> str:
    return of_bytes(canonical_json(value))


def of_sql(value: Any) -> str:
    """Digest of SQL in lists and mappings, however its lines are broken and indented."""
    return of_json(_in_one_line(value))


def _in_one_line(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"\s*\n\s*", " ", value)
    if isinstance(value, dict):
        return {key: _in_one_line(item) for key, item in value.items()}
    return [_in_one_line(item) for item in value]


def content_digest(connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str], order: str) -> str:
    """Content digest of `relation` (anything that can stand in FROM): `columns` of each row, sorted by `order`.

    `order` must order the rows totally. Streams in bounded memory: 32 bytes a row pass through Python.
    """
    fields = ", ".join(f'"{c}" := "{c}"' for c in columns)
    row = f"CAST(to_json(struct_pack({fields})) AS VARCHAR)"
    query = f"SELECT unhex(sha256({row})) AS h FROM {relation} ORDER BY {order}"
    total = hashlib.sha256()
    for batch in connection.execute(query).to_arrow_reader(100_000):
        column = batch.column(0)
        if len(column):  # a binary column's values lie end to end in its last buffer
            first = memoryview(column.buffers()[1]).cast("i")[column.offset]
            total.update(memoryview(column.buffers()[2])[first : first + 32 * len(column)])
    return total.hexdigest()


def keyed_hash(key: bytes, text: str) -> str:
    """HMAC-SHA256 of `text`, in hex."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def hash_key_blocks(key: bytes) -> tuple[bytes, bytes]:
    """The inner and the outer block of HMAC-SHA256 with this key (RFC 2104): as secret as the key."""
    block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def sql_keyed_hash(text: str) -> str:
    """SQL for `keyed_hash` over a VARCHAR expression. The key stands in variables of the session that it is asked in
    (`HashKey.install`), not in the query: queries are handed to workers, and logged. Without them it is an error."""
    inner, outer = (f"coalesce(getvariable('hash_key_{part}')::BLOB, error('no key'))" for part in ("inner", "outer"))
    return f"sha256({outer} || unhex(sha256({inner} || encode({text}))))"
