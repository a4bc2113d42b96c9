"""`sluicegate ledger verify`: whether all that is kept fits together, and where it does not.

The chain and the tables beside it are the ledger's own affair; here come the signed heads that confirm the chain, and
the sealed files that its events tell of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.audit import recount, sealed, signed_heads
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.chain import Head, Problem


@dataclass(frozen=True)
class Found:
    """What verification found. `signed_heads`: how many confirm the chain, copies included."""

    problems: tuple[Problem, ...]
    head: Head
    signed_heads: int


def verify(
    home: Home, ledger: Ledger, *, deep: bool = False, copies: Sequence[Path] = (), keys: Sequence[str] = ()
) -> Found:
    """Checks a home.

    deep     also opens each sealed accounting with the holder's key, and counts it again
    copies   signed heads that were handed out; keys: the holder's public keys, those of the home if left out
    """
    holders = list(keys) or signed_heads.holders(home)
    here, problems = signed_heads.series(signed_heads.folder(home), holders)
    given, wrong = signed_heads.read(copies, holders)
    problems += [*wrong, *signed_heads.compared(given, here)]
    vouching = {c.digest: c for c in [*here, *given]}.values()
    found = ledger.verify(marks=[c.mark for c in vouching])
    counted = recount.problems(home, ledger) if deep else ()
    return Found((*found, *problems, *sealed.problems(home, ledger), *counted), ledger.head(), len(vouching))
