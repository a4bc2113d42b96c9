"""Where a case keeps what belongs to it: its folder in the home tree, and a folder in clear while somebody works on it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expectations.digests import of_bytes, of_file
from expectations.errors import Fault
from expectations.instruments import Agreement, parse_instrument
from flows.home import HOLDER_AGE, Home
from flows.ledger import Ledger
from flows.locks import alone
from pipelines import durable, sealing

_VIEW = ".recall-"
LOCK = "recall"


def folder(home: Home, case: str) -> Path:
    """`recalls/CASE`, made 0700: documents in clear (they name no person), and everything else sealed to the holder."""
    found = home.root / "recalls" / case
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


@contextmanager
def at_work(home: Home) -> Iterator[Path]:
    """A folder for what is opened, deleted at the end; what a killed run left is deleted first. One at a time a home."""
    with alone(home, LOCK):
        for left in home.lake.glob(f"{_VIEW}*"):
            shutil.rmtree(left)
        for half in (home.root / "recalls").glob("*/.*"):
            shutil.rmtree(half) if half.is_dir() else half.unlink()
        view = home.lake / f"{_VIEW}{uuid.uuid4().hex}"
        view.mkdir(mode=0o700)
        try:
            yield view
        finally:
            shutil.rmtree(view, ignore_errors=True)


def identity(home: Home) -> sealing.Identity:
    """The holder's own age key."""
    return sealing.load_identity(home.keys / HOLDER_AGE)


def agreement_of(ledger: Ledger, name: str) -> Agreement:
    """The newest enrolled version of an agreement: its keys and terms are those that count now."""
    return newest(name, [body for _, _, body in ledger.instruments()])


def newest(name: str, bodies: list[bytes]) -> Agreement:
    """The agreement called `name` among the bodies of the enrolled instruments."""
    found = (parse_instrument(body, "enrolled instrument") for body in bodies)
    return next(i for i in found if isinstance(i, Agreement) and i.id == name)


def keep_sealed(home: Home, source: Path, target: Path) -> None:
    """Seals `source` to the holder as `target`, whole or not at all."""
    half = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    sealing.seal_file(source, half, [identity(home).recipient])
    half.replace(target)
    durable.fsync(target.parent)


def keep_proof(home: Home, case: str, data: bytes, view: Path) -> str:
    """Keeps a proof that somebody handed in, sealed; gives its digest. Safe to repeat."""
    digest, plain = of_bytes(data), view / uuid.uuid4().hex
    plain.touch(mode=0o600)
    plain.write_bytes(data)
    keep_sealed(home, plain, proof(home, case, digest))
    plain.unlink()
    return digest


def open_proof(home: Home, case: str, digest: str, view: Path) -> bytes:
    """A proof that was kept; raises BadInput if it cannot be opened, Fault if it is not the one that the ledger names."""
    plain = view / uuid.uuid4().hex
    sealing.open_file(proof(home, case, digest), plain, identity(home))
    if of_file(plain) != digest:
        raise Fault(
            "PROOF_CHANGED",
            "a kept proof is not the one that the ledger names",
            where=proof(home, case, digest).name,
            remedy="Restore recalls/ from a backup.",
        )
    return plain.read_bytes()


def proof(home: Home, case: str, digest: str) -> Path:
    """Where a proof lies, sealed."""
    return folder(home, case) / f"proof-{digest[:16]}.age"
