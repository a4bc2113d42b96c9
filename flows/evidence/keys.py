"""The keys that evidence is sealed to: the holder's own age key, and one key pair a batch, sealed to the holder's. A
batch's private half lies in `keys/evidence/BATCH.age`: a stolen folder of keys opens nothing without the holder's key,
and once that one small file is destroyed, whoever holds the holder's key opens no copy of the batch's evidence."""

from pathlib import Path

from flows.home.holder import identity as holder
from flows.home.keys import EVIDENCE, overwrite
from flows.home.tree import Home
from pipelines import sealing
from pipelines.lake import durable


def place(home: Home, batch: str) -> Path:
    """Where the private half lies, sealed."""
    return home.keys / EVIDENCE / f"{batch}.age"


def recipient(home: Home, batch: str) -> str:
    """To whom the batch's evidence is sealed; the key pair is made, and on the disk, when it is first asked for."""
    path = place(home, batch)
    if path.exists():
        return identity(home, batch).recipient
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = sealing.new_identity()
    durable.write(path, sealing.seal_secret(made, holder(home).recipient), mode=0o600)
    return made.recipient


def identity(home: Home, batch: str) -> sealing.Identity:
    """What opens the batch's evidence: the holder's own key where it was sealed before batches had keys of their own.
    Raises BadInput if the holder's key cannot be read, or is not the one that the batch's was sealed to."""
    path = place(home, batch)
    return sealing.open_secret(path, holder(home)) if path.exists() else holder(home)


def destroy(home: Home, batch: str) -> None:
    """Overwrites the private half, then deletes it; safe to repeat."""
    path = place(home, batch)
    if not path.exists():
        return
    overwrite(path)
    durable.fsync(path.parent)
