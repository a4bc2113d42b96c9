"""Where a case keeps what belongs to it, in the home tree, and the desk on which a run works on cases."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from expectations.base.clock import Clock
from expectations.base.digests import of_bytes, of_file
from expectations.base.errors import Fault
from expectations.instruments import Agreement
from flows.evidence import keys
from flows.evidence.store import plaintext_folder, seal_to_holder
from flows.home import keys as home_keys
from flows.home.tree import Home, alone
from flows.ledger import Ledger
from flows.outbox import package_digest
from flows.registry import enrolled
from pipelines import sealing

LOCK = "recall"


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
def desk(home: Home, clock: Clock) -> Iterator[Desk]:
    """The desk of this home, for one run at a time. What a killed run left half-written is deleted first."""
    with alone(home, LOCK):
        for half in (home.root / "recalls").glob("*/.*"):
            shutil.rmtree(half) if half.is_dir() else half.unlink()
        with plaintext_folder(home) as plain, Ledger.open(home.ledger_url, clock) as ledger:
            ledger.require_open()
            home_keys.prove(home, ledger)
            yield Desk(home, ledger, plain)


def store_proof(at: Desk, case: str, data: bytes) -> str:
    """Stores a proof that somebody handed in, sealed; gives its digest. Safe to repeat."""
    digest, opened = of_bytes(data), at.plain / uuid.uuid4().hex
    opened.touch(mode=0o600)
    opened.write_bytes(data)
    seal_to_holder(at.home, opened, proof(at.home, case, digest))
    opened.unlink()
    return digest


def open_proof(at: Desk, case: str, digest: str) -> bytes:
    """A stored proof; raises BadInput if it cannot be opened, Fault if it is not the one that the ledger names."""
    opened, sealed = at.plain / uuid.uuid4().hex, proof(at.home, case, digest)
    sealing.open_file(sealed, opened, keys.holder(at.home))
    if of_file(opened) != digest:
        remedy = "Restore recalls/ from a backup."
        raise Fault("PROOF_CHANGED", "a stored proof is not the one in the ledger", where=sealed.name, remedy=remedy)
    return opened.read_bytes()


def proof(home: Home, case: str, digest: str) -> Path:
    """Where a proof lies, sealed."""
    return folder(home, case) / f"proof-{digest[:16]}.age"
