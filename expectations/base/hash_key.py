"""The key of the keyed hashes, by where it lies: what is handed to workers is this reference, never the key.

A worker reads the key where it runs, and hands it to its own database session as variables. So the key stands in no
query, and with that in no job graph, log, message or environment.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb

from expectations.base.digests import hash_key_blocks, keyed_hash
from expectations.base.errors import Usage

LENGTH = 32  # bytes
_RESTORE = "Restore it from a backup: no other key can take its place."


@dataclass(frozen=True)
class HashKey:
    """Where the key lies (a file:// URI that every worker can read), and its fingerprint, which proves it there."""

    uri: str
    fingerprint: str

    @classmethod
    def at(cls, path: Path) -> HashKey:
        """The key in this file; raises Usage if it is missing, not a key, or can be read by others."""
        return cls(path.absolute().as_uri(), _fingerprint(_read(path)))

    @classmethod
    def made(cls, path: Path) -> HashKey:
        """A new key, written to this file (0600)."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(LENGTH))
        return cls.at(path)

    def secret(self) -> bytes:
        """The key itself, read anew; raises Usage if it is missing, or another than this refers to."""
        path = Path(unquote(urlsplit(self.uri).path))
        key = _read(path)
        if _fingerprint(key) != self.fingerprint:
            raise Usage("KEY_OTHER", "a key of the holder is another than it was", where=path.name, remedy=_RESTORE)
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


def _read(path: Path) -> bytes:
    what = "a key of the holder is missing, or cannot be read"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        raise Usage("KEY_MISSING", what, where=path.name, remedy=_RESTORE) from None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise Usage("KEY_MISSING", what, where=path.name, remedy=_RESTORE)
    with os.fdopen(handle, "rb") as stream:
        if mode & 0o077:
            exposed = "a key of the holder can be read by others"
            raise Usage("KEY_EXPOSED", exposed, where=path.name, remedy="chmod 600 it.")
        key = stream.read(LENGTH + 1)
    if len(key) != LENGTH:
        what = f"a key of the holder is not one: it has other than {LENGTH} bytes"
        raise Usage("KEY_UNREADABLE", what, where=path.name, remedy=_RESTORE)
    return key
