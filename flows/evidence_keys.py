"""The key pair that a batch's evidence is sealed to: one a batch, so that one small file destroyed makes it unreadable.

The private half lies in `keys/evidence/BATCH.age`, sealed to the holder's age key: a stolen folder of keys opens nothing
without that key, and whoever holds that key opens nothing once the small file is gone, from no copy of the evidence.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from flows.home import HOLDER_AGE, Home
from pipelines import sealing
from pipelines.lake import durable

FOLDER = "evidence"  # in the folder of keys


def place(home: Home, batch: str) -> Path:
    """Where the private half lies, sealed."""
    return home.keys / FOLDER / f"{batch}.age"


def recipient(home: Home, batch: str) -> str:
    """To whom the batch's evidence is sealed; the key pair is made, and on the disk, when it is first asked for."""
    path = place(home, batch)
    if path.exists():
        return identity(home, batch).recipient
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = sealing.new_identity()
    holder = sealing.load_identity(home.keys / HOLDER_AGE).recipient
    durable.write(path, sealing.seal_secret(made, holder), mode=0o600)
    return made.recipient


def identity(home: Home, batch: str) -> sealing.Identity:
    """What opens the batch's evidence: the holder's own key where it was sealed before batches had keys of their own.

    Raises BadInput if the holder's key cannot be read, or is not the one that the batch's was sealed to.
    """
    holder, path = sealing.load_identity(home.keys / HOLDER_AGE), place(home, batch)
    return sealing.open_secret(path, holder) if path.exists() else holder


def destroy(home: Home, batch: str) -> None:
    """Overwrites the private half, then deletes it; safe to repeat."""
    path = place(home, batch)
    if not path.exists():
        return
    with path.open("r+b") as stream:
        stream.write(secrets.token_bytes(path.stat().st_size))
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()
    durable.fsync(path.parent)
