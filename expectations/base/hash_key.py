"""The key of the keyed hashes, by where it lies: what is handed to workers is this reference, never the key.

A worker reads the key where it runs, and hands it to its own database session as variables. So the key stands in no
query, and with that in no job graph, log, message or environment.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import duckdb

from expectations.base import algorithms, keyed
from expectations.base.algorithms import Scheme
from expectations.base.duck import quote
from expectations.base.errors import Usage
from expectations.base.keyed import Generation
from expectations.base.places import RESTORE, Place

LENGTH = 32  # bytes
PLAIN = Scheme.SHA256  # of a key that names no algorithm, as it was made before any did
_FINGERPRINT = "fingerprint of the key of the keyed hashes"


@dataclass(frozen=True)
class HashKey:
    """Where the key lies, as every worker can read it, and its fingerprint, which proves it there.

    `schemes`: the algorithm of each of its generations (`keyed`). A key with more generations in this place is still
    the one that is referred to: what was hashed before a renewal is recognised by the generations of then.
    """

    place: Place
    fingerprint: str
    schemes: tuple[Scheme, ...] = (PLAIN,)

    @classmethod
    def at(cls, place: Place) -> HashKey:
        """The key in this place; raises Usage if it is missing, not a key, or can be read by others."""
        return cls._of(place, parsed(place.read_key(), place))

    @classmethod
    def made(cls, path: Path) -> HashKey:
        """A new key, written to this file (0600)."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(LENGTH))
        return cls.at(Place.file(path))

    @classmethod
    def _of(cls, place: Place, generations: Sequence[Generation]) -> HashKey:
        return cls(place, fingerprints(generations)[-1], tuple(one.scheme for one in generations))

    def known_as(self, fingerprint: str) -> HashKey:
        """It with those generations only that it had when this was its fingerprint; raises Usage if it never was."""
        if fingerprint == self.fingerprint:
            return self
        return self._of(self.place, HashKey(self.place, fingerprint).generations())

    def generations(self) -> tuple[Generation, ...]:
        """The keys themselves, read anew; raises Usage if they are missing, or others than this refers to."""
        found = parsed(self.place.read_key(), self.place)
        said = fingerprints(found)
        if self.fingerprint not in said:
            what = "a key of the holder is another than it was"
            raise Usage("KEY_OTHER", what, where=self.place.name, remedy=RESTORE)
        return found[: said.index(self.fingerprint) + 1]

    def keyed_hash(self, text: str) -> str:
        """The keyed hash of `text`, in hex."""
        return keyed.keyed_hash(self.generations(), text)

    def sql(self, text: str) -> str:
        """SQL for the keyed hash of a VARCHAR expression, where `install` was asked."""
        return keyed.sql_keyed_hash(self.schemes, text)

    def sql_number(self, text: str) -> str:
        """SQL (UBIGINT) for the number of a VARCHAR expression, where `install` was asked."""
        return keyed.sql_number(self.schemes, text)

    def sql_carried(self, hashed: str, then: HashKey) -> str:
        """SQL that carries a keyed hash over, which this key had given when it was as `then`."""
        return keyed.sql_keyed_hash(self.schemes, hashed, since=len(then.schemes))

    def sql_number_carried(self, number: str, then: HashKey) -> str:
        """SQL that carries a number over, which this key had given when it was as `then`."""
        return keyed.sql_number(self.schemes, number, since=len(then.schemes))

    def sql_carried_each(self, hashed: str, batch: str, keys: Mapping[str, HashKey]) -> str:
        """SQL that carries keyed hashes of several batches over. `batch`: SQL of whose each is; `keys`: what each batch
        was hashed with."""
        older = {name: then for name, then in keys.items() if then.schemes != self.schemes}
        cases = (f"WHEN {quote(name)} THEN {self.sql_carried(hashed, then)}" for name, then in sorted(older.items()))
        return f"CASE {batch} {' '.join(cases)} ELSE {hashed} END" if older else hashed

    def install(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Lets the SQL of this key be asked in this session. The key goes in as parameters, not as text."""
        for number, one in enumerate(self.generations(), 1):
            algorithms.install(connection, one.scheme)
            for name, block in zip(keyed.variables(number), one.blocks(), strict=True):
                connection.execute(f"SET VARIABLE {name} = ?", [block])


def fingerprints(generations: Sequence[Generation]) -> list[str]:
    """What may be known of the key, as it was after each generation: a keyed hash of a text of its own."""
    return list(accumulate(generations, lambda text, one: one.keyed_hash(text), initial=_FINGERPRINT))[1:]


def written(generations: Sequence[Generation]) -> bytes:
    """The key as it is kept: a line for each generation, the oldest first, with its algorithm."""
    return "".join(f"{one.scheme} {one.key.hex()}\n" for one in generations).encode()


def parsed(data: bytes, place: Place) -> tuple[Generation, ...]:
    """The key, from bytes or 64 hexadecimal digits, as it is made first, or as `written`; raises Usage for another."""
    if len(data) == LENGTH:
        return (Generation(PLAIN, data),)
    try:
        lines = [line.split() for line in data.decode("ascii").strip().split("\n")]
        words = [line if len(line) > 1 or len(lines) > 1 else [PLAIN, *line] for line in lines]
        found = tuple(Generation(Scheme(scheme), bytes.fromhex(key)) for scheme, key in words)
    except ValueError:
        found = ()
    if not found or any(len(one.key) != LENGTH for one in found):
        what = f"a key of the holder is not one: it has other than {LENGTH} bytes"
        raise Usage("KEY_UNREADABLE", what, where=place.name, remedy=RESTORE)
    return found
