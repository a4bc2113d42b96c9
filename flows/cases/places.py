"""Where a case keeps what belongs to it, in the home tree, and the desk on which a run works on cases."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from expectations.base.clock import Clock
from expectations.base.digests import bytes_match, of_bytes
from expectations.base.errors import BadInput, Fault, Usage
from expectations.instruments import Agreement
from flows.evidence import keys
from flows.evidence.store import opened_bytes, plaintext_folder, seal_bytes
from flows.home import keys as home_keys
from flows.home.tree import Home, alone
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.outbox import package_digest
from flows.registry import enrolled

LOCK = "recall"
# What reads and keeps what is sealed; only recall lists, and notices of corrections, are signed by the holder.
SEALED = (KeyName.HASH, KeyName.HOLDER_AGE)
MOST_WAITING = 8  # files of a case that wait for a signature
_HANDED = "handed-"


def folder(home: Home, case: str) -> Path:
    """`recalls/CASE`, made 0700: its documents (they name no person), and everything else sealed to the holder."""
    found = home.root / "recalls" / case
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def name_of(case: str) -> str:
    """What the recall list of a case is called in the outbox."""
    return f"recall-{case}"


def deliver(home: Home, sealed: Path, name: str) -> str:
    """Puts a sealed folder into the outbox under `name`, whole; gives its digest. Safe to repeat. Raises Fault if
    something else lies there."""
    outbox, digest = home.delivery, package_digest(sealed)
    if outbox.digest(name) is None:
        with outbox.staged(sealed, name) as copy:
            copy.put()
    outbox.settle(name)
    outbox.tidy(name)
    if outbox.digest(name) != digest:
        remedy = "Find out what it is; it is not overwritten."
        raise Fault("OUTBOX_TAKEN", "the outbox holds something else under this name", where=name, remedy=remedy)
    return digest


@dataclass(frozen=True)
class Desk:
    """What a run works on cases with: the home, its open ledger, and a plaintext folder that is deleted at the end."""

    home: Home
    ledger: Ledger
    plain: Path

    def agreement(self, id: str) -> Agreement:
        """The newest enrolled version of an agreement: its keys and terms are those that count now."""
        return enrolled.newest(self.ledger).agreements[id]


@contextmanager
def desk(home: Home, clock: Clock, names: Collection[KeyName] = home_keys.OWN) -> Iterator[Desk]:
    """The desk of this home, for one run at a time. What a killed run left half-written is deleted first. `names`: the
    keys that the run uses."""
    with alone(home, LOCK):
        for half in (home.root / "recalls").glob("*/.*"):
            shutil.rmtree(half) if half.is_dir() else half.unlink()
        with plaintext_folder(home) as plain, Ledger.open(home.ledger_url, clock) as ledger:
            ledger.require_open()
            home_keys.prove(home, ledger, names)
            yield Desk(home, ledger, plain)


def store_proof(home: Home, case: str, data: bytes) -> str:
    """Stores a proof that somebody handed in, sealed; gives its digest. Safe to repeat."""
    digest = of_bytes(data)
    seal_bytes(data, proof(home, case, digest), keys.holder(home).recipient)
    return digest


def open_proof(home: Home, case: str, digest: str) -> bytes:
    """A stored proof; raises BadInput if it cannot be opened, Fault if it is not the one that the ledger names."""
    sealed = proof(home, case, digest)
    data = opened_bytes(sealed, keys.holder(home))
    if not bytes_match(data, digest):
        remedy = "Restore recalls/ from a backup."
        raise Fault("PROOF_CHANGED", "a stored proof is not the one in the ledger", where=sealed.name, remedy=remedy)
    return data


def proof(home: Home, case: str, digest: str) -> Path:
    """Where a proof lies, sealed."""
    return folder(home, case) / f"proof-{digest[:16]}.age"


def hand_in(desk: Desk, case: str, data: bytes) -> str:
    """Stores a file that a step may rest on once it is signed, sealed; gives its digest. The oldest of more than
    `MOST_WAITING` of a case goes."""
    digest = of_bytes(data)
    target = _waiting(desk.home, case, digest)
    seal_bytes(data, target, keys.holder(desk.home).recipient)
    others = (path for path in target.parent.glob(f"{_HANDED}*") if path != target)
    for path in sorted(others, key=lambda path: path.stat().st_mtime_ns, reverse=True)[MOST_WAITING - 1 :]:
        path.unlink()
    return digest


def handed_in(home: Home, case: str, digest: str) -> bytes:
    """A file that waits for a signature; raises Usage if it does not wait any more."""
    with suppress(BadInput):
        data = opened_bytes(_waiting(home, case, digest), keys.holder(home))
        if bytes_match(data, digest):
            return data
    what = "the file that was handed in does not wait any more: a step was taken since, or it was never here"
    raise Usage("NOT_HANDED_IN", what, remedy="Look at the case, then hand it in once more.")


def forget(home: Home, case: str) -> None:
    """Deletes the files that wait for a signature: a step was taken, and none of them is judged by what stands now."""
    for path in folder(home, case).glob(f"{_HANDED}*"):
        path.unlink(missing_ok=True)


def _waiting(home: Home, case: str, digest: str) -> Path:
    return folder(home, case) / f"{_HANDED}{digest[:16]}.age"
