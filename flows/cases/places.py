"""Where a case keeps what belongs to it: its folder in the home tree, and a plaintext folder while somebody works on it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expectations.digests import of_bytes, of_file
from expectations.errors import Fault
from flows import evidence_keys
from flows.home import Home
from flows.kept import seal_to_holder
from flows.locks import alone
from flows.views import plaintext_folder
from pipelines import sealing

LOCK = "recall"


def folder(home: Home, case: str) -> Path:
    """`recalls/CASE`, made 0700: its documents (they name no person), and everything else sealed to the holder."""
    found = home.root / "recalls" / case
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


@contextmanager
def one_at_a_time(home: Home) -> Iterator[Path]:
    """A plaintext folder, deleted at the end, for the only run of this home that works on cases.

    What a killed run left half-written is deleted first.
    """
    with alone(home, LOCK):
        for half in (home.root / "recalls").glob("*/.*"):
            shutil.rmtree(half) if half.is_dir() else half.unlink()
        with plaintext_folder(home) as plain:
            yield plain


def store_proof(home: Home, case: str, data: bytes, plain: Path) -> str:
    """Stores a proof that somebody handed in, sealed; gives its digest. Safe to repeat."""
    digest, opened = of_bytes(data), plain / uuid.uuid4().hex
    opened.touch(mode=0o600)
    opened.write_bytes(data)
    seal_to_holder(home, opened, proof(home, case, digest))
    opened.unlink()
    return digest


def open_proof(home: Home, case: str, digest: str, plain: Path) -> bytes:
    """A stored proof; raises BadInput if it cannot be opened, Fault if it is not the one that the ledger names."""
    opened, sealed = plain / uuid.uuid4().hex, proof(home, case, digest)
    sealing.open_file(sealed, opened, evidence_keys.holder(home))
    if of_file(opened) != digest:
        raise Fault(
            "PROOF_CHANGED",
            "a stored proof is not the one that the ledger names",
            where=sealed.name,
            remedy="Restore recalls/ from a backup.",
        )
    return opened.read_bytes()


def proof(home: Home, case: str, digest: str) -> Path:
    """Where a proof lies, sealed."""
    return folder(home, case) / f"proof-{digest[:16]}.age"
