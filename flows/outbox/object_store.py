"""An outbox in an object store: S3 and what speaks like it, Google Cloud Storage, Azure. A package is there once its
`manifest.json` is: files first, the manifest last, by a put that succeeds only where none is yet. Everything below a
package's own name is written under the ledger's lock; what is uploaded before lies below `.staging`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import from_url

from expectations.base import algorithms
from expectations.base.algorithms import HASHES, Scheme
from expectations.base.digests import matches, of_json
from expectations.base.errors import Fault, Usage
from flows.outbox.contract import STAGING, files_of, package_digest, taken, unwritable
from pipelines.release.signed_folder import MANIFEST

if TYPE_CHECKING:
    from obstore.store import RetryConfig

SCHEMES = ("s3", "gs", "az")
# a store that is out of reach must not hold the ledger's lock for long
_RETRY: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
_ERRORS = (BaseError, OSError)


class ObjectStore:
    """Packages below a prefix of a bucket or container; its keys come from the environment."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    @cached_property
    def store(self) -> Any:
        """Opened when it is first used: what only names a place needs no keys."""
        try:
            return from_url(self.url, retry_config=_RETRY)
        except _ERRORS:  # it says what it was given
            said = "the object store of the outbox cannot be set up"
            remedy = "Set its keys, region or account in the environment: infra/docs/home.md."
            raise Usage("OUTBOX_URL", said, where="outbox", remedy=remedy) from None

    def digest(self, name: str) -> str | None:
        """What lies there without a manifest is half a publication, and nothing yet."""
        try:
            paths = self._below(name)
            if f"{name}/{MANIFEST}" not in paths:
                return None
            return of_json({p.removeprefix(f"{name}/"): self._digest(p) for p in sorted(paths)})
        except _ERRORS as error:
            raise unwritable(error, name) from None

    @contextmanager
    def staged(self, package: Path, name: str) -> Iterator[ObjectCopy]:
        wanted = package_digest(package)
        folder = f"{STAGING}/{name}/{uuid.uuid4().hex}"
        try:
            try:
                files = [p.relative_to(package).as_posix() for p in files_of(package)]
                for file in files:
                    obstore.put(self.store, f"{folder}/{file}", package / file)
                # as the store gives it back
                digest = self._below_digest(folder, files)
            except _ERRORS as error:
                raise unwritable(error, name) from None
            if digest != wanted:
                changed = "the object store gives back another package than it was given"
                raise Fault("PACKAGE_CHANGED", changed, where=name)
            yield ObjectCopy(
                self, name, folder, files, (algorithms.in_force(), digest), (package / MANIFEST).read_bytes()
            )
        finally:
            self._discard(folder)

    def settle(self, name: str) -> None:
        """A put that was answered is durable."""

    def tidy(self, name: str) -> None:
        self._discard(f"{STAGING}/{name}")

    def names(self) -> list[str]:
        try:
            there = obstore.list_with_delimiter(self.store)
        except _ERRORS as error:
            raise unwritable(error, self.url) from None
        paths = [*there["common_prefixes"], *(meta["path"] for meta in there["objects"])]
        return sorted(name for path in paths if not (name := path.strip("/").rpartition("/")[2]).startswith("."))

    def place(self, name: str) -> str:
        return f"{self.url}/{name}"

    def _below_digest(self, folder: str, files: list[str]) -> str:
        return of_json({file: self._digest(f"{folder}/{file}") for file in files})

    def _below(self, folder: str) -> list[str]:
        return [meta["path"] for page in obstore.list(self.store, folder) for meta in page]

    def _digest(self, path: str) -> str:
        total = HASHES[algorithms.in_force()]()
        for chunk in obstore.get(self.store, path).stream():
            total.update(chunk)
        return str(total.hexdigest())

    def _discard(self, folder: str) -> None:
        try:
            if paths := self._below(folder):
                obstore.delete(self.store, paths)
        except _ERRORS:  # what stays there is sealed, and is deleted by the next tidying
            return


class ObjectCopy:
    """A package uploaded below `.staging`, and read back: copies within the store put it into its place."""

    def __init__(
        self,
        outbox: ObjectStore,
        name: str,
        folder: str,
        files: list[str],
        digest: tuple[Scheme, str],
        manifest: bytes,
    ) -> None:
        self.outbox, self.name, self.folder, self.files, self.manifest = outbox, name, folder, files, manifest
        self._digest = digest

    def digest(self) -> str:
        scheme, digest = self._digest
        now = algorithms.in_force()
        return digest if now is scheme else self.outbox._below_digest(self.folder, self.files)

    def put(self) -> None:
        store, name = self.outbox.store, self.name
        if self.outbox.digest(name) is not None:
            raise taken(name)
        try:
            if stale := [p for p in self.outbox._below(name) if p.removeprefix(f"{name}/") not in self.files]:
                obstore.delete(store, stale)
            for file in self.files:
                if file != MANIFEST:
                    obstore.copy(store, f"{self.folder}/{file}", f"{name}/{file}")
            obstore.put(store, f"{name}/{MANIFEST}", self.manifest, mode="create")
        except AlreadyExistsError:
            # somebody else's; or our own, whose answer was lost and which was then sent again: what lies there says
            pass
        except _ERRORS as error:
            raise unwritable(error, name) from None
        if not matches(self._digest[1], lambda: self.outbox.digest(name)):
            raise taken(name)
