"""Digests: what is approved, compared and chained.

A *content digest* is taken over canonical, sorted, logical rows: it is the same for any part size, thread count, runner
and file order. A *file digest* is taken over bytes. Both prove something, and are made by the algorithm in force
(`algorithms`); what was stored before is compared by its own (`matches`). A *name* says which one of many, proves
nothing, and is SHA-256 for good. Keyed hashes are made in `keyed`.

Names are: batches and submissions, by their letters; unreadable ones; public keys, by their fingerprints; who signs in
with a provider; prepared registers and versions of the register; what a step was made from, and pieces of its work;
what waits for a person; which reference tables a database has.
"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from expectations.base import algorithms
from expectations.base.algorithms import HASHES, NAMES, Scheme

Found = TypeVar("Found", str, str | None)


def of_bytes(data: bytes, scheme: Scheme | None = None) -> str:
    """`scheme`: where a form says which; else the one in force."""
    return algorithms.digest(scheme or algorithms.in_force(), data)


def of_file(path: Path, scheme: Scheme | None = None) -> str:
    """`scheme`: as of `of_bytes`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, HASHES[scheme or algorithms.in_force()]).hexdigest()


def matching(stored: str | None, make: Callable[[], Found]) -> Found | str:
    """What `make` digests by the algorithm that gives the `stored` digest; by the one in force if none does.

    That is sound: all have 64 digits, and none says which algorithm made it, but for something else to have by one the
    digest that is stored by another takes a preimage of 256 random bits. An algorithm of which preimages could be found
    must leave the list; collisions, which go first, do not help.
    """
    now, *others = algorithms.all_of_them()
    found = _by(now, make)
    if None in (stored, found) or found == stored:
        return found
    return next((stored for scheme in others if _by(scheme, make) == stored), found)


def _by(scheme: Scheme, make: Callable[[], Found]) -> Found:
    with algorithms.using(scheme):
        return make()


def matches(stored: str | None, make: Callable[[], str | None]) -> bool:
    """Whether what `make` digests has the stored digest, by whichever algorithm that was made: the one place where
    digests of two times are compared."""
    return stored is not None and matching(stored, make) == stored


def file_matches(path: Path, stored: str | None) -> bool:
    """Whether the file is the one that was digested."""
    return matches(stored, lambda: of_file(path))


def bytes_match(data: bytes, stored: str | None) -> bool:
    """Whether these are the bytes that were digested."""
    return matches(stored, lambda: of_bytes(data))


def name_of_bytes(data: bytes) -> str:
    """SHA-256, for good: what is called by this must be recognised whatever is in force. Proves nothing."""
    return of_bytes(data, NAMES)


def name_of_file(path: Path) -> str:
    """A name made from what a file holds."""
    return of_file(path, NAMES)


def name_of_json(value: Any) -> str:
    """A name made from a value."""
    return name_of_bytes(canonical_json(value))


def name_of_sql(value: Any) -> str:
    """A name made from SQL in lists and mappings, however its lines are broken and indented."""
    return name_of_json(_in_one_line(value))


def canonical_json(value: Any) -> bytes:
    """One spelling for one value: sorted keys, no spaces. What digests and signatures are taken over."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def of_json(value: Any) -> str:
    return of_bytes(canonical_json(value))


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
    scheme = algorithms.in_force()
    algorithms.install(connection, scheme)
    hashed = algorithms.sql_digest(f"encode({row})", scheme)
    query = f"SELECT unhex({hashed}) AS h FROM {relation} ORDER BY {order}"
    total = HASHES[scheme]()
    for batch in connection.execute(query).to_arrow_reader(100_000):
        column = batch.column(0)
        if len(column):  # a binary column's values lie end to end in its last buffer
            first = memoryview(column.buffers()[1]).cast("i")[column.offset]
            total.update(memoryview(column.buffers()[2])[first : first + 32 * len(column)])
    return str(total.hexdigest())
