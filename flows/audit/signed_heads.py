"""Signed heads of the audit chain: what it was on a day, signed by the holder, so that it can be shown later, anywhere,
with the public key alone, that nothing up to there was cut off or written anew.

`checkpoints/DAY.json`, with its SSH signature in `DAY.json.sig`. Each names the digest of the one before, so that none
can be taken away or replaced but the newest: give copies to others, and compare with them (`ledger verify --head`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from expectations.base import signatures
from expectations.base.digests import canonical_json, file_matches, of_bytes
from expectations.base.errors import BadInput
from flows.home import holder
from flows.home import keys as home_keys
from flows.home.tree import Home, alone
from flows.ledger import Ledger
from flows.ledger.chain import Mark, Problem
from pipelines.lake import durable

FORMAT = "sluicegate-checkpoint/1"
_STAGED = ".next"
_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(-[0-9]+)?")
_KEYS = {"format", "at", "seq", "hash", "root", "previous"}


@dataclass(frozen=True)
class SignedHead:
    """A file whose signature is the holder's. `digest`: of its bytes; `previous`: of the one before it, if any;
    `root`: Merkle root over the hashes of all events up to `seq`."""

    path: Path
    digest: str
    at: str
    seq: int
    hash: str
    root: str
    previous: str | None

    @property
    def name(self) -> str:
        return f"signed head {self.path.stem}"

    @property
    def mark(self) -> Mark:
        return Mark(self.name, self.seq, self.hash, self.root)


def folder(home: Home) -> Path:
    return home.root / "checkpoints"


def holders(home: Home) -> list[str]:
    """The holder's public keys: an earlier one stays there for as long as its signed heads count. Raises BadInput."""
    return list(home.holders)


def write(home: Home, ledger: Ledger) -> Path:
    """Writes and signs a signed head; gives its path. If today's newest saw the last event already, that one.

    Raises BadInput if the one before it cannot be read: fix that first, for each vouches for the one before.
    """
    ledger.require_open()
    home_keys.prove(home, ledger)
    with settled(home):
        before, problems = read(sorted(folder(home).glob("*.json")), holders(home))
        if problems:
            raise BadInput("CHECKPOINT_BROKEN", problems[0].what, where=problems[0].place, remedy="Restore it first.")
        at = ledger.clock.now().isoformat(timespec="seconds")
        head, root = ledger.head_and_root()
        last = max(before, key=lambda c: (c.seq, c.at), default=None)
        if last and last.at[:10] == at[:10] and (last.seq, last.hash) == (head.seq, head.hash):
            _publish(home)
            return last.path
        said = {"format": FORMAT, "at": at, **vars(head), "root": root, "previous": last.digest if last else None}
        body, names = canonical_json(said), (f"{at[:10]}{'' if n == 1 else f'-{n}'}.json" for n in count(1))
        # nowhere is one replaced: after a restoration others may hold heads that are no longer here
        path = next(folder(home) / n for n in names if not any((place / n).exists() for place in _places(home)))
        signature = signatures.sign(body, holder.signing_key(home), signatures.SIGNED_HEAD)
        durable.write(_staged(home), body)
        durable.write(signature_of(path), signature.encode())  # first, so that a signed head is never there without it
        _finish(_staged(home), path)
        _publish(home)
        return path


@contextmanager
def settled(home: Home) -> Iterator[None]:
    """While nobody signs a head: what a killed process left half-done is finished before, and each is there with its
    signature."""
    with alone(home, "checkpoints"):
        folder(home).mkdir(exist_ok=True, mode=0o700)
        staged = _staged(home)
        if (path := _begun(folder(home), holders(home))) is not None:
            _finish(staged, path)
        staged.unlink(missing_ok=True)
        yield


def _staged(home: Home) -> Path:
    """Where a head waits until its signature is there."""
    return folder(home) / _STAGED


def _begun(place: Path, keys: Sequence[str]) -> Path | None:
    """Where the head belongs that waits beside its signature: a process was killed between the two."""
    try:
        body = (place / _STAGED).read_bytes()
    except FileNotFoundError:
        return None
    for path in (signature.with_suffix("") for signature in sorted(place.glob("*.sig"))):
        said = "" if path.exists() else signature_of(path).read_text(errors="replace")
        if said and signatures.signer(body, said, list(keys), signatures.SIGNED_HEAD) is not None:
            return path
    return None


def _finish(staged: Path, path: Path) -> None:
    staged.replace(path)
    durable.fsync(path.parent)


def _places(home: Home) -> list[Path]:
    return [folder(home), *((home.root / place).resolve() for place in home.config.signed_heads)]


def _publish(home: Home) -> None:
    """Puts each signed head into each folder that `signed_heads` of sluicegate.toml names and that lacks it: a process
    may have been killed before it did. Raises BadInput if one of them takes none: then nobody else holds this head."""
    for target in _places(home)[1:]:
        try:
            target.mkdir(parents=True, exist_ok=True)
            lacking = [path for path in sorted(folder(home).glob("*.json")) if not (target / path.name).exists()]
            for file in (file for path in lacking for file in (signature_of(path), path)):
                durable.write(target / file.name, file.read_bytes())
        except OSError as error:
            what = f"a signed head could not be put there ({type(error).__name__})"
            remedy = "See signed_heads in sluicegate.toml."
            raise BadInput("HEAD_NOT_COPIED", what, where="signed_heads", remedy=remedy) from None


def published(home: Home) -> list[Path]:
    """The signed heads in the folders that `signed_heads` of sluicegate.toml names."""
    return [path for place in _places(home)[1:] for path in sorted(place.glob("*.json"))]


def told(home: Home, here: Iterable[SignedHead]) -> list[Problem]:
    """Signed heads that a nightly run tells of, and that are not here: the newest, too, leaves this trace."""
    names, found = {c.path.stem for c in here}, []
    for night in sorted((home.root / "nightly").glob("*.json")):
        try:
            name = json.loads(night.read_bytes()).get("signed_head")
        except (OSError, ValueError, AttributeError, RecursionError):
            found.append(Problem(f"nightly/{night.name}", "it cannot be read"))
            continue
        if isinstance(name, str) and _NAME.fullmatch(name) and name not in names:
            found.append(Problem(f"signed head {name}", f"nightly/{night.name} tells of it, and it is missing"))
    return found


def signature_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sig")


def read(paths: Iterable[Path], keys: Sequence[str]) -> tuple[list[SignedHead], list[Problem]]:
    """The signed heads in these files that one of the public `keys` signed, and what is wrong with the others."""
    found, problems = [], []
    for path in paths:
        try:
            found.append(_read(path, keys))
        except BadInput as error:
            problems.append(Problem(f"signed head {path.stem}", error.message))
    return found, problems


def _read(path: Path, keys: Sequence[str]) -> SignedHead:
    try:
        body = path.read_bytes()
        signature = signature_of(path).read_text(errors="replace")
    except FileNotFoundError as error:
        what = "its signature is missing" if path.exists() else "it is missing"
        raise BadInput("CHECKPOINT_MISSING", what, where=Path(error.filename).name) from None
    except OSError:
        raise BadInput("CHECKPOINT_UNREADABLE", "it cannot be read", where=path.name) from None
    if signatures.signer(body, signature, list(keys), signatures.SIGNED_HEAD) is None:
        raise BadInput("CHECKPOINT_UNSIGNED", "its signature is not the holder's over it", where=path.name)
    said: dict[str, Any] = json.loads(body)
    if said.keys() != _KEYS or said["format"] != FORMAT:
        raise BadInput("CHECKPOINT_FORMAT", "it has another format than this version reads", where=path.name)
    return SignedHead(path, of_bytes(body), *(said[k] for k in ("at", "seq", "hash", "root", "previous")))


def series(place: Path, keys: Sequence[str]) -> tuple[list[SignedHead], list[Problem]]:
    """All signed heads of a home, oldest first, and every place where one is missing, replaced or not signed."""
    found, problems = read(sorted(place.glob("*.json")), keys)
    found.sort(key=lambda c: (c.seq, c.at, c.path.name))
    for before, after in pairwise([None, *found]):
        if after and not _follows(before, after):
            problems.append(Problem(after.name, "the one before it is missing, or was replaced"))
        if after and not after.path.name.startswith(after.at[:10]):
            problems.append(Problem(after.name, "it has the name of another day"))
    signed_ones = [path.with_suffix("") for path in sorted(place.glob("*.sig"))]
    begun = _begun(place, keys)  # after the list, and before each is looked for: one may be signed just now
    for signed in signed_ones:
        if not signed.exists() and signed != begun:
            problems.append(Problem(f"signed head {signed.stem}", "it is missing; its signature is there"))
    return found, problems


def _follows(before: SignedHead | None, after: SignedHead) -> bool:
    if before is None or after.previous is None:
        return before is None and after.previous is None
    return after.previous == before.digest or file_matches(before.path, after.previous)


def compared(copies: Iterable[SignedHead], here: Iterable[SignedHead]) -> list[Problem]:
    """Copies that were handed out and are not in the series that is here: missing, or replaced."""
    known, what = {c.digest for c in here}, "this copy is not among the home's: missing there, or replaced"
    return [Problem(c.name, what) for c in copies if c.digest not in known]
