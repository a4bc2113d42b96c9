"""The keys that evidence is sealed to: the holder's own age key, and one key pair a batch, sealed to the holder's. A
batch's private half lies in `keys/evidence/BATCH.age`: a stolen folder of keys opens nothing without the holder's key,
and once that one small file is destroyed, whoever holds the holder's key opens no copy of the batch's evidence."""

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from expectations.base.errors import BadInput
from flows.home import staging
from flows.home.holder import EARLIER
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
    path, own = place(home, batch), holder(home)
    if not path.exists():
        return own
    found = sealing.open_secret(path, own)
    with suppress(BadInput):  # while its evidence is sealed anew, under another key: some of it is, and some is not yet
        return replace(found, earlier=(sealing.open_secret(staging.waiting(home, path), own).secret,))
    return found


def put(home: Home, batch: str) -> None:
    """Puts the private half that waits into its place, and destroys the one that lay there. Safe to repeat."""
    path = place(home, batch)
    new, old = staging.waiting(home, path), _old(home, path)
    if new.exists():
        if path.exists() and not old.exists():
            os.link(path, old)
        staging.put(home, path)
    if old.exists():
        overwrite(old)
        durable.fsync(old.parent)


def destroy(home: Home, batch: str) -> None:
    """Overwrites the private half, then deletes it; one that waits as well. Safe to repeat."""
    path = place(home, batch)
    for one in (staging.waiting(home, path), _old(home, path), path):
        if one.exists():
            overwrite(one)
            durable.fsync(one.parent)


def withdraw(home: Home, batch: str) -> None:
    """Destroys the private half that waits: the one in its place goes on counting."""
    path = place(home, batch)
    new, old = staging.waiting(home, path), _old(home, path)
    if old.exists() and path.exists() and old.samefile(path):
        old.unlink()
    for one in (new, old):
        if one.exists():
            overwrite(one)


def destroy_earlier(home: Home) -> int:
    """Destroys all age keys that others took the place of; gives how many of them opened anything."""
    folder, before = home.keys / EARLIER, len(holder(home).earlier)
    end_destroying(home)
    if folder.exists():
        folder.rename(_gone(home))  # first: whoever reads keys would stop at one that is half overwritten
        durable.fsync(home.keys)
        end_destroying(home)
    return before


def end_destroying(home: Home) -> None:
    """Destroys what a killed process was about to."""
    if (gone := _gone(home)).exists():
        for one in gone.rglob("*.age"):
            overwrite(one)
        shutil.rmtree(gone)
        durable.fsync(home.keys)


def _gone(home: Home) -> Path:
    return home.keys / f".{EARLIER}"


def _old(home: Home, path: Path) -> Path:
    """The private half that another took the place of, until it is destroyed."""
    return staging.waiting(home, path).with_suffix(".old")
