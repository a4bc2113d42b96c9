"""Where packages are put for their recipients: a folder, or a prefix in an object store (`object_store`).

Both are used alike: a package is staged first, beside the others and out of sight; then, under the ledger's lock, one act puts
it into its place: a rename, or a conditional put of its manifest. What lies there under a batch's name decides after a crash.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from expectations.digests import of_file, of_json
from expectations.errors import Fault, Transient, Usage
from pipelines.lake import durable

STAGING = ".staging"


class Staged(Protocol):
    """A package on its way: whole, where the outbox is, and not yet in its place."""

    def digest(self) -> str:
        """`package_digest` of what was staged."""

    def put(self) -> None:
        """Puts it into its place; raises Fault if something lies there, Transient if it cannot be written."""


class Outbox(Protocol):
    """Packages by name. A name is taken by what lies there first, and never given to anything else."""

    def digest(self, name: str) -> str | None:
        """`package_digest` of what lies under this name; None: nothing does."""

    def staged(self, package: Path, name: str) -> AbstractContextManager[Staged]:
        """A copy of a package, removed at the end unless it was put into its place."""

    def settle(self, name: str) -> None:
        """Makes what lies under this name durable."""

    def tidy(self, name: str) -> None:
        """Removes the copies that a crash, or another run, left of a package that is decided."""

    def names(self) -> list[str]:
        """The names that are taken."""

    def place(self, name: str) -> str:
        """Where the package lies, for people."""


def outbox_at(where: Outbox | Path | str) -> Outbox:
    """The outbox at a folder or URL (`s3://BUCKET/PREFIX`, `gs://…`, `az://…`, `file://…`); raises Usage for another URL.

    An object store's keys come from the environment, as its own tools read them.
    """
    if isinstance(where, Path):
        return Folder(where)
    if not isinstance(where, str):
        return where
    parts = urlsplit(where)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Usage("OUTBOX_URL", "the outbox's URL holds more than a place", where="outbox",
                    remedy="Keys and settings of an object store go into the environment.")  # fmt: skip
    if parts.scheme == "file" and not parts.netloc:
        return Folder(Path(parts.path))
    from flows.object_store import SCHEMES, ObjectStore

    if parts.scheme not in SCHEMES or not parts.netloc:
        raise Usage("OUTBOX_URL", "the outbox's URL names no place that is supported", where="outbox",
                    remedy=f"Write a folder, or {', '.join(f'{s}://BUCKET/PREFIX' for s in SCHEMES)}.")  # fmt: skip
    return ObjectStore(where)


def package_digest(package: Path) -> str:
    """SHA-256 over the path and the SHA-256 of every file of a package, the manifest included."""
    if not (files := list(_files(package))):
        raise Fault("NO_PACKAGE", "there is no sealed package to publish", remedy="Reopen the batch and seal it again.")
    return of_json({p.relative_to(package).as_posix(): of_file(p) for p in files})


def taken(name: str) -> Fault:
    """Something else lies under the name of a package."""
    return Fault("OUTBOX_TAKEN", "something else lies in the outbox under the name of this batch", where=name,
                 remedy="Find out what it is; the batch is not published over it.")  # fmt: skip


def unwritable(error: Exception, name: str) -> Transient:
    """The outbox cannot be written to; what failed said may name anything, and is not shown."""
    return Transient(
        "OUTBOX_UNWRITABLE", f"the package cannot be put into the outbox: {type(error).__name__}", where=name,
        remedy="Look at the disk or the object store, then run the batch again.",
    )  # fmt: skip


class Folder:
    """An outbox that is a folder: one folder a package, put into place by one rename on its own volume."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def digest(self, name: str) -> str | None:
        target = self.root / name
        if not target.exists():
            return None
        return of_json({p.relative_to(target).as_posix(): of_file(p) for p in _files(target)})

    @contextmanager
    def staged(self, package: Path, name: str) -> Iterator[FolderCopy]:
        package_digest(package)  # a package that is not there will not be there at the next try either
        copy = self.root / STAGING / name / uuid.uuid4().hex / name
        try:
            try:
                shutil.copytree(package, copy)
                for path in [*copy.rglob("*"), copy]:
                    durable.fsync(path)
            except OSError as error:
                raise unwritable(error, name) from None
            yield FolderCopy(copy, self.root / name)
        finally:
            shutil.rmtree(copy.parent, ignore_errors=True)

    def settle(self, name: str) -> None:
        durable.fsync(self.root)

    def tidy(self, name: str) -> None:
        shutil.rmtree(self.root / STAGING / name, ignore_errors=True)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.root.glob("[!.]*"))

    def place(self, name: str) -> str:
        return str(self.root / name)


class FolderCopy:
    """A copy of a package on the outbox's own volume, whole and on the disk, so that one rename publishes it."""

    def __init__(self, copy: Path, target: Path) -> None:
        self.copy, self.target = copy, target

    def digest(self) -> str:
        return package_digest(self.copy)

    def put(self) -> None:
        if self.target.exists():
            raise taken(self.target.name)
        try:
            self.copy.rename(self.target)
            durable.fsync(self.target.parent)
        except OSError as error:
            raise unwritable(error, self.target.name) from None


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.rglob("*")) if not p.is_dir())
