"""The algorithms of hashes, by the names that events give them: the one that hashes now, and all that did.

Two operators choose it (`ledger set-scheme`): for the audit chain, and for every digest that proves something. It is
one setting of the process, which whoever opens a home's ledger takes from there (`use`); forked children have it, and
workers are told. What a name is made from is hashed by `NAMES`, for good: a name must be recognised.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import ARROW

from expectations.base.duck import once
from expectations.base.total import total


class Scheme(StrEnum):
    """How something is hashed. Each gives 64 hexadecimal digits; one that was ever in force stays in this list."""

    SHA256 = "sha256"
    SHA3_256 = "sha3_256"


FIRST = Scheme.SHA256  # of every chain, until its operators choose another: such events name none
NAMES = Scheme.SHA256
HASHES: Mapping[Scheme, Callable[..., Any]] = total(
    Scheme, {Scheme.SHA256: hashlib.sha256, Scheme.SHA3_256: hashlib.sha3_256}
)
WORDS: Mapping[Scheme, str] = total(Scheme, {Scheme.SHA256: "SHA-256", Scheme.SHA3_256: "SHA3-256"})
_NATIVE = frozenset({Scheme.SHA256})  # what DuckDB has
_process = FIRST
_here: ContextVar[Scheme | None] = ContextVar("algorithm of digests", default=None)


def in_force() -> Scheme:
    """What digests are made by now."""
    return _here.get() or _process


def in_words() -> str:
    """The one in force, as people call it."""
    return WORDS[in_force()]


def use(scheme: Scheme) -> None:
    """Makes digests by this from now on, in the whole process."""
    global _process
    _process = scheme


@contextmanager
def using(scheme: Scheme) -> Iterator[None]:
    """Makes digests by this for a while, here and in no other thread."""
    before = _here.set(scheme)
    try:
        yield
    finally:
        _here.reset(before)


def all_of_them() -> tuple[Scheme, ...]:
    """Every algorithm, the one in force first."""
    now = in_force()
    return (now, *(scheme for scheme in Scheme if scheme is not now))


def digest(scheme: Scheme, data: bytes) -> str:
    """The hash of `data`, in hex."""
    return str(HASHES[scheme](data).hexdigest())


def named(said: Mapping[str, Any]) -> tuple[Scheme, str]:
    """The algorithm that a form of ours names, and the digest by it: one of its keys is the algorithm's name. Raises
    KeyError if none is, or several are."""
    found = [scheme for scheme in Scheme if scheme.value in said]
    if len(found) != 1:
        raise KeyError
    return found[0], str(said[found[0].value])


def sql_digest(blob: str, scheme: Scheme) -> str:
    """SQL for `digest` over a BLOB expression, in hex. The session must have had `install`."""
    return f"{scheme}({blob})"


def install(connection: duckdb.DuckDBPyConnection, scheme: Scheme) -> None:
    """Lets `sql_digest` be asked in this session, and in those that have its database after it."""
    if scheme in _NATIVE:
        return

    def define() -> None:
        connection.create_function(scheme.value, _of_column(scheme), ["BLOB"], "VARCHAR", type=ARROW)

    once(connection, f"digest {scheme}", "1", define)


@cache  # DuckDB keeps the function for longer than its session does, and counts on somebody else to hold it
def _of_column(scheme: Scheme) -> Callable[[pa.Array], pa.Array]:
    make = HASHES[scheme]

    def of_column(column: pa.Array) -> pa.Array:
        return pa.array([None if one is None else make(one).hexdigest() for one in column.to_pylist()], pa.string())

    return of_column
