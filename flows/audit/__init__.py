"""`sluicegate ledger verify`: whether all that is kept fits together, and where it does not.

The chain and the tables beside it are the ledger's own affair; here come the signed heads that confirm the chain, and
the sealed files that its events tell of.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from expectations.base.errors import SluicegateError, Transient
from flows.audit import recount, register, sealed, settling, signed_heads, verdicts
from flows.home import keys as home_keys
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
    """Checks a home, after what a killed process left half sealed anew was completed.

    deep     also opens each sealed accounting with the holder's key, and counts it again
    copies   signed heads that were handed out; keys: the holder's public keys, those of the home if left out
    """
    with suppress(OSError, SluicegateError):  # where it cannot be completed, what lies there is not what must
        settling.settle(home, ledger)
    vouching: dict[str, signed_heads.SignedHead] = {}
    heads = _all("signed heads", lambda: _heads(home, ledger, copies, keys, vouching))
    parts: dict[str, Callable[[], Iterable[Problem]]] = {
        "ledger": lambda: ledger.verify(marks=[c.mark for c in vouching.values()]),
        "keys": lambda: _keys(home, ledger),
        "sealed files": lambda: sealed.problems(home, ledger),
        "verdicts": lambda: verdicts.problems(home, ledger),
        "register": lambda: register.problems(home, ledger),
    }
    if deep:
        parts["accounting"] = lambda: recount.problems(home, ledger)
    found = [problem for name, part in parts.items() for problem in _all(name, part)]
    return Found((*found, *heads), ledger.head(), len(vouching))


def _all(name: str, part: Callable[[], Iterable[Problem]]) -> list[Problem]:
    """What a part finds. Whatever somebody put where it looks is a problem, and never the end of the rest."""
    found: list[Problem] = []
    try:
        found.extend(part())
    except Transient:
        raise
    except SluicegateError as error:
        found.append(Problem(error.where or name, error.message))
    except Exception as error:  # its text may quote what it could not read
        place = getattr(error, "filename", None)
        what = f"it could not be verified to its end ({type(error).__name__})"
        found.append(Problem(f"{name}: {Path(str(place)).name}" if place else name, what))
    return found


def _heads(
    home: Home,
    ledger: Ledger,
    copies: Sequence[Path],
    keys: Sequence[str],
    vouching: dict[str, signed_heads.SignedHead],
) -> Iterator[Problem]:
    """What is wrong with the signed heads; those that are right go to `vouching`, by digest."""
    holders = list(keys) or signed_heads.holders(home)
    here, problems = signed_heads.series(signed_heads.folder(home), holders)
    given, wrong = signed_heads.read([*copies, *signed_heads.published(home)], holders)
    lost = ledger.lost_heads()  # two operators signed that a restored ledger has lost these
    given = [c for c in given if (c.seq, c.hash) not in lost]
    vouching.update({c.digest: c for c in [*here, *given]})
    yield from problems
    yield from wrong
    yield from signed_heads.compared(given, here)
    yield from signed_heads.told(home, here)


def _keys(home: Home, ledger: Ledger) -> Iterator[Problem]:
    """Every key of the home that is missing, or another than the ledger knows."""
    known = ledger.known_keys()
    if not known and ledger.keys_in_use():
        yield Problem("keys", f"no operator has vouched for them. {home_keys.VOUCH}")
    yield from (Problem(one.place, one.what) for one in home_keys.wrong(home, known))
