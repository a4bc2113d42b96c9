"""What an outbox is, wherever it lies: how a package is staged, put into its place, and named by its digest."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from expectations.base.digests import of_file, of_json
from expectations.base.errors import Fault, Transient

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


def package_digest(package: Path) -> str:
    """Digest of the path and the digest of every file of a package, the manifest included."""
    if not (files := list(files_of(package))):
        raise Fault("NO_PACKAGE", "there is no sealed package to publish", remedy="Reopen the batch and seal it again.")
    return of_json({p.relative_to(package).as_posix(): of_file(p) for p in files})


def taken(name: str) -> Fault:
    """Something else lies under the name of a package."""
    said = "something else lies in the outbox under the name of this batch"
    remedy = "Find out what it is; the batch is not published over it."
    return Fault("OUTBOX_TAKEN", said, where=name, remedy=remedy)


def unwritable(error: Exception, name: str) -> Transient:
    """The outbox cannot be written to; what failed said may name anything, and is not shown."""
    said = f"the package cannot be put into the outbox: {type(error).__name__}"
    remedy = "Look at the disk or the object store, then run the batch again."
    return Transient("OUTBOX_UNWRITABLE", said, where=name, remedy=remedy)


def files_of(folder: Path) -> Iterator[Path]:
    """Every file of a package, in the order of their paths."""
    return (p for p in sorted(folder.rglob("*")) if not p.is_dir())
