"""Keyed hashes: HMACs that name a person or a request in the ledger without saying who it is.

Their key has generations, the oldest first, each with an algorithm. The first one's HMAC is taken over a text; that of
each later one over the hash that the generation before it gave. So what is stored is carried over to a new generation
without the text, every text is recognised again, and whoever has only the keys of before knows nothing of what is
stored now. A *number* is the same with 64 bits of each HMAC, taken over the decimal number of the generation before.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

from expectations.base.algorithms import HASHES, Scheme, sql_digest


@dataclass(frozen=True)
class Generation:
    """A key of 32 bytes, and the algorithm of its HMAC."""

    scheme: Scheme
    key: bytes = field(repr=False)

    def keyed_hash(self, text: str) -> str:
        """Its HMAC over `text`, in hex: also over the hash of the generation before it."""
        return hmac.new(self.key, text.encode(), HASHES[self.scheme]).hexdigest()

    def blocks(self) -> tuple[bytes, bytes]:
        """The inner and the outer block of its HMAC (RFC 2104): as secret as the key."""
        block = self.key.ljust(HASHES[self.scheme]().block_size, b"\0")
        return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def keyed_hash(generations: Sequence[Generation], text: str) -> str:
    """The hash of `text` by all generations, in hex."""
    return reduce(lambda found, one: one.keyed_hash(found), generations, text)


def sql_keyed_hash(schemes: Sequence[Scheme], text: str, since: int = 0) -> str:
    """SQL for `keyed_hash` over a VARCHAR expression, or over a hash that the first `since` generations gave.

    The keys stand in variables of the session that it is asked in (`HashKey.install`), not in the query: queries are
    handed to workers, and logged. Without them it is an error.
    """
    for number, scheme in _numbered(schemes, since):
        text = _hmac(number, scheme, text)
    return text


def sql_number(schemes: Sequence[Scheme], text: str, since: int = 0) -> str:
    """SQL (UBIGINT) for the number of a VARCHAR expression; or of a number that the first `since` generations gave."""
    for number, scheme in _numbered(schemes, since):
        text = beginning(_hmac(number, scheme, text if number == 1 else f"CAST({text} AS VARCHAR)"))
    return text


def beginning(hashed: str) -> str:
    """SQL (UBIGINT) for the first 64 bits of a hash in hex."""
    return f"CAST('0x' || left({hashed}, 16) AS UBIGINT)"


def variables(number: int) -> tuple[str, str]:
    """What the variables with the blocks of a generation are called, the oldest of which is number 1."""
    end = "" if number == 1 else f"_{number}"
    return f"hash_key_inner{end}", f"hash_key_outer{end}"


def _numbered(schemes: Sequence[Scheme], since: int) -> list[tuple[int, Scheme]]:
    return list(enumerate(schemes, 1))[since:]


def _hmac(number: int, scheme: Scheme, text: str) -> str:
    inner, outer = (f"coalesce(getvariable('{name}')::BLOB, error('no key'))" for name in variables(number))
    return sql_digest(f"{outer} || unhex({sql_digest(f'{inner} || encode({text})', scheme)})", scheme)
