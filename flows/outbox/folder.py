"""An outbox that is a folder of this machine, or of a shared volume."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expectations.base.digests import of_file, of_json
from flows.outbox.contract import STAGING, files_of, package_digest, taken, unwritable
from pipelines.lake import durable


class Folder:
    """An outbox that is a folder: one folder a package, put into place by one rename on its own volume."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def digest(self, name: str) -> str | None:
        target = self.root / name
        if not target.exists():
            return None
        return of_json({p.relative_to(target).as_posix(): of_file(p) for p in files_of(target)})

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
