"""The algorithms of the audit chain, by the names that events give them: those that hash now, and all that did."""

import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from expectations.base.total import total


class Scheme(StrEnum):
    """How an event is hashed. Each gives 64 hexadecimal digits; one that a chain once had stays in this list."""

    SHA256 = "sha256"
    SHA3_256 = "sha3_256"


FIRST = Scheme.SHA256  # of every chain, until its operators choose another: such events name none
HASHES: Mapping[Scheme, Callable[[], Any]] = total(
    Scheme, {Scheme.SHA256: hashlib.sha256, Scheme.SHA3_256: hashlib.sha3_256}
)


def digest(scheme: Scheme, data: bytes) -> str:
    """The hash of `data`, in hex."""
    hashing = HASHES[scheme]()
    hashing.update(data)
    return str(hashing.hexdigest())
