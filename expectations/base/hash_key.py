"""The key of the keyed hashes, by where it lies: what is handed to workers is this reference, never the key.

A worker reads the key where it runs, and hands it to its own database session as variables. So the key stands in no
query, and with that in no job graph, log, message or environment.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import duckdb

from expectations.base.digests import hash_key_blocks, keyed_hash
from expectations.base.errors import Usage
from expectations.base.places import RESTORE, Place

LENGTH = 32  # bytes


@dataclass(frozen=True)
class HashKey:
    """Where the key lies, as every worker can read it, and its fingerprint, which proves it there."""

    place: Place
    fingerprint: str

    @classmethod
    def at(cls, place: Place) -> HashKey:
        """The key in this place; raises Usage if it is missing, not a key, or can be read by others."""
        return cls(place, _fingerprint(parsed(place.read_key(), place)))

    @classmethod
    def made(cls, path: Path) -> HashKey:
        """A new key, written to this file (0600)."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(LENGTH))
        return cls.at(Place.file(path))

    def secret(self) -> bytes:
        """The key itself, read anew; raises Usage if it is missing, or another than this refers to."""
        key = parsed(self.place.read_key(), self.place)
        if _fingerprint(key) != self.fingerprint:
            what = "a key of the holder is another than it was"
            raise Usage("KEY_OTHER", what, where=self.place.name, remedy=RESTORE)
        return key

    def keyed_hash(self, text: str) -> str:
        """HMAC-SHA256 of `text`, in hex."""
        return keyed_hash(self.secret(), text)

    def install(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Lets `digests.sql_keyed_hash` be asked in this session. The key goes in as a parameter, not as text."""
        inner, outer = hash_key_blocks(self.secret())
        connection.execute("SET VARIABLE hash_key_inner = ?", [inner])
        connection.execute("SET VARIABLE hash_key_outer = ?", [outer])


def _fingerprint(key: bytes) -> str:
    """What may be known of the key: a keyed hash of a text of its own."""
    return keyed_hash(key, "fingerprint of the key of the keyed hashes")


def parsed(data: bytes, place: Place) -> bytes:
    """The key, from its bytes, or from 64 hexadecimal digits, as vaults keep it; raises Usage if it is neither."""
    if len(data) == LENGTH:
        return data
    try:
        key = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != LENGTH:
        what = f"a key of the holder is not one: it has other than {LENGTH} bytes"
        raise Usage("KEY_UNREADABLE", what, where=place.name, remedy=RESTORE)
    return key
