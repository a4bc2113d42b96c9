"""Where the ledger has keyed hashes."""

from enum import StrEnum


class Hashed(StrEnum):
    """A table whose rows are keyed hashes: with another key they are carried over."""

    CLAIMS = "claims"
    TRIES = "tries"
    RECALLED = "recalled"
