"""The audit chain as a file, and its verification anywhere: no home, no database, no private key.

One event a line, as JSON: seq, at, batch, kind, facts (the very text that was hashed), previous, hash. Counts, codes,
digests and ids only, as in the ledger.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from expectations.base.errors import BadInput, Usage
from flows.audit import signed_heads
from flows.ledger import Ledger
from flows.ledger.chain import GENESIS, Head, Line, Problem, check_links
from flows.ledger.rebuild import impossible


def write(ledger: Ledger, out: Path) -> int:
    """Writes all events to `out` (0600), whole or not at all; gives their number."""
    half, lines, names = out.with_name(f".{out.name}.half"), 0, [f.name for f in fields(Line)]
    half.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            for event in ledger.links():
                stream.write(json.dumps({name: getattr(event, name) for name in names}, ensure_ascii=False) + "\n")
                lines += 1
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(out)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise Usage("NOT_WRITTEN", f"the file cannot be written: {type(error).__name__}", where=out.name) from None
    return lines


def verify(export: Path, copies: Sequence[Path], keys: Sequence[str]) -> tuple[list[Problem], Head, int]:
    """Every problem of an exported chain, its last event, and how many signed heads confirm it.

    copies   signed head files, each with its signature beside it; keys: the holder's public keys
    """
    found, problems = signed_heads.read(copies, keys)
    unreadable: list[Problem] = []
    problems += check_links(_read(export, unreadable), [c.mark for c in found])
    problems += unreadable + impossible(_read(export, []))
    last = Head(0, GENESIS)
    for line in _read(export, []):
        last = Head(line.seq, line.hash)
    return problems, last, len(found)


def _read(export: Path, unreadable: list[Problem]) -> Iterator[Line]:
    """The events of an export; lines that are none go to `unreadable`."""
    try:
        with export.open(encoding="utf-8", errors="replace") as stream:
            for number, text in enumerate(stream, 1):
                if line := _parsed(text):
                    yield line
                else:
                    unreadable.append(Problem(f"line {number}", "it is no event"))
    except OSError:
        raise BadInput("FILE_UNREADABLE", "the export cannot be read", where=export.name) from None


def _parsed(text: str) -> Line | None:
    try:
        line = Line(**json.loads(text))
        for value in (line.at, line.batch or "", line.kind, line.facts, line.previous, line.hash, line.scheme or ""):
            value.encode()  # half of a surrogate pair is no text, and could not be hashed
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return line if type(line.seq) is int and 0 < line.seq < 1 << 63 else None
