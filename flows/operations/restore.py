"""`sluicegate restore`: a home made from a backup, whole or not at all, and closed until two operators open it.

All is unpacked into a folder beside the new home; every digest is proven; the ledger is filled, migrated, and told that
it was restored; only then the folder gets the home's name. A ledger on a server is filled in one transaction.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from expectations.base.errors import BadInput, Fault, Usage
from flows import audit
from flows.home.tree import CONFIG, Home, make_tree, open_home
from flows.ledger import Ledger, chain
from flows.ledger.chain import Problem
from flows.ledger.database import copies, engine
from flows.operations.archive import LEDGER, MANIFEST, SIGNATURE, Manifest, place, proven, unpack
from pipelines import sealing
from pipelines.lake import durable
from pipelines.lake.workplace import locked_folder

_APART = ("keys", "instruments")  # what sluicegate.toml may put elsewhere


@dataclass(frozen=True)
class Restored:
    """A home that was restored, and what `ledger verify` finds in it."""

    home: Home
    manifest: Manifest
    problems: tuple[Problem, ...]


def check(backup: Path, identity: Path) -> Manifest:
    """Opens a backup and proves every digest, and leaves nothing behind. Raises BadInput if it is not whole."""
    with locked_folder(backup.resolve().parent, f".{backup.name}.check-") as work:
        return _opened(backup, identity, work)[0]


def restore(backup: Path, identity: Path, root: Path, heads: Sequence[Path] = ()) -> Restored:
    """Makes the home `root` from a backup. `identity`: the file of the recovery key; `heads`: signed heads kept
    elsewhere. Raises BadInput if the backup is not whole, Usage if anything is there already that it would replace."""
    _must_be_empty(root, "home")
    root.parent.mkdir(parents=True, exist_ok=True)
    with locked_folder(root.parent, f".{root.name}.restore-") as work:
        new = work / "home"
        manifest, digest = _opened(backup, identity, new)
        tables = new / LEDGER
        tables.rename(work / LEDGER)
        for name in (MANIFEST, SIGNATURE):
            (new / name).unlink()
        home = make_tree(new, {})
        for name in _APART:
            if not place(home, name).is_relative_to(new):
                _must_be_empty(place(home, name), name)
        _fill(home, work / LEDGER, manifest, digest)
        for name in _APART:
            _put_apart(home, new, name)
        durable.folder(new)
        if root.exists():
            root.rmdir()
        new.rename(root)
        durable.fsync(root.parent)
    home = open_home(root)
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        found = audit.verify(home, ledger, copies=heads)
    return Restored(home, manifest, found.problems)


def _opened(backup: Path, identity: Path, folder: Path) -> tuple[Manifest, str]:
    """Unpacks a backup; gives its manifest and the digest of that."""
    if not backup.is_file():
        raise BadInput("FILE_UNREADABLE", "the backup cannot be read", where=backup.name, remedy="Give its path.")
    folder.mkdir(exist_ok=True, mode=0o700)
    with sealing.opened_stream(backup, sealing.load_identity(identity)) as stream:
        found = unpack(stream, folder)
    if not (folder / CONFIG).is_file():
        raise BadInput("BACKUP_BROKEN", "the backup has no configuration", where=backup.name)
    return proven(folder, found)


def _fill(home: Home, tables: Path, manifest: Manifest, digest: str) -> None:
    """Fills the ledger, closes it, and proves that it is the one of the manifest: all in one transaction."""
    ledger = Ledger(engine.connect(home.ledger_url), home.clock())
    with ledger, ledger.filling() as session:
        copies.read(session, tables, manifest.ledger)
        head = chain.head(session)
        if (head.seq, head.hash) != (manifest.seq, manifest.head):
            raise Fault("BACKUP_BROKEN", "the ledger in the backup is not the one of its manifest")
        ledger.record_restored(session, digest)


def _put_apart(home: Home, new: Path, name: str) -> None:
    """Moves keys or instruments to where sluicegate.toml has them, if that is outside of the home."""
    target, here = place(home, name), new / name
    if target.is_relative_to(new):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked_folder(target.parent, f".{target.name}.restore-") as beside:
        shutil.copytree(here, beside / name)
        durable.folder(beside / name)
        if target.exists():
            target.rmdir()
        (beside / name).rename(target)
        durable.fsync(target.parent)
    shutil.rmtree(here)


def _must_be_empty(folder: Path, what: str) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        remedy = "Move it aside; nothing is ever restored over what is there."
        raise Usage("NOT_EMPTY", f"there is something where the {what} is restored", where=folder.name, remedy=remedy)
