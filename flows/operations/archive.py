"""The form of a backup: a tar archive, sealed with age, of one home: its files, its ledger as tables, and last a
manifest with the digest of each, signed by the holder. Written and read as streams: no plaintext touches a disk but
where it belongs.
"""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from expectations.base import algorithms, signatures
from expectations.base.algorithms import FIRST, HASHES, Scheme
from expectations.base.digests import canonical_json, file_matches, of_bytes, of_file
from expectations.base.errors import BadInput
from flows.home import holder
from flows.home.tree import CONFIG, HOLDER_SIGNING, Home

FORMAT = "sluicegate-backup/1"
LEDGER, MANIFEST, SIGNATURE = "ledger", "manifest.json", "manifest.json.sig"
# Read before the ledger is: what they tell of is then in it. And after it: what it tells of is then there.
BEFORE = ("nightly", "checkpoints")
AFTER = (
    *(CONFIG, "facilities.csv", "persons.csv", "instruments", "evidence", "keys", "accounting"),
    *("corrections", "notes", "recalls", "lookback", "verdicts"),
)
_OTHER = "This is no backup, or one of a newer version."


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    seq, head    the newest event of its ledger; home: the hash of the first
    ledger       the form of the ledger's tables (the newest migration)
    destroy_by   the day on which it must be gone: from then on it would keep what is to be shredded; None: nothing is
    differs      places that were not as the ledger says when they were copied
    files        digest by name; digests: by which algorithm
    """

    version: str
    at: str
    home: str
    seq: int
    head: str
    ledger: str
    destroy_by: str | None
    differs: list[str]
    files: dict[str, str] = field(default_factory=dict)
    digests: Scheme = FIRST


def place(home: Home, name: str) -> Path:
    """Where a part of the backup lies in a home: keys and instruments may be elsewhere."""
    return {"keys": home.keys, "instruments": home.instruments}.get(name, home.root / name)


def members(home: Home, name: str) -> Iterator[tuple[str, Path]]:
    """Every file of a part, by its name in the archive. What begins with a dot is half-written."""
    root = place(home, name)
    if root.is_file():
        yield name, root
        return
    for folder, inner, files in os.walk(root, onerror=_unless_gone):
        inner[:] = sorted(one for one in inner if not one.startswith("."))
        for path in (Path(folder, file) for file in sorted(files) if not file.startswith(".")):
            if path.is_file():
                yield f"{name}/{path.relative_to(root).as_posix()}", path


def _unless_gone(error: OSError) -> None:
    """A folder that somebody deletes while it is read has nothing to copy; one that cannot be read stops the backup."""
    if not isinstance(error, FileNotFoundError):
        raise error


class Writer:
    """Puts files into an archive, and knows the digest of each. `kept`: the lists of evidence, as they were copied."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.digests: dict[str, str] = {}
        self._by = algorithms.in_force()
        self._places: dict[str, Path] = {}
        self.kept: dict[str, bytes] = {}

    def file(self, name: str, path: Path) -> None:
        """Copies a file; one that is gone by now is left out: whoever needs it will miss it."""
        self._places[name] = path
        try:
            if name.startswith("evidence/") and name.endswith(".json"):
                self.kept[name] = path.read_bytes()
                self.data(name, self.kept[name])
                return
            with path.open("rb") as stream:
                self._add(name, stream, os.fstat(stream.fileno()).st_size)  # it may be replaced meanwhile
        except FileNotFoundError:
            return

    def copied(self, name: str, digest: str) -> bool:
        """Whether a file was copied as the one that has this digest, by whichever algorithm: by another than this
        archive's the file is read once more, if it is still the one that was copied."""
        known = self.digests.get(name)
        if known is None or known == digest:
            return known is not None
        try:
            path = self._places[name]
            return of_file(path, self._by) == known and file_matches(path, digest)
        except OSError:
            return False

    def data(self, name: str, data: bytes) -> None:
        self._add(name, io.BytesIO(data), len(data))

    def manifest(self, manifest: Manifest, home: Home) -> Manifest:
        """Puts the manifest at the archive's end, with the digest of all that is in it; gives that."""
        whole = replace(manifest, files=dict(self.digests), digests=self._by)
        said = asdict(whole)
        if self._by is FIRST:  # such archives name none
            del said["digests"]
        body = canonical_json({"format": FORMAT, **said})
        signature = signatures.sign(body, holder.signing_key(home), signatures.BACKUP)
        self.data(SIGNATURE, signature.encode())
        self.data(MANIFEST, body)
        return whole

    def _add(self, name: str, stream: BinaryIO, size: int) -> None:
        info, hashing = tarfile.TarInfo(name), _Hashing(stream, self._by)
        info.size, info.mode = size, 0o600
        self._tar.addfile(info, hashing)
        self.digests[name] = hashing.total.hexdigest()


class _Hashing:
    """A stream whose bytes are digested as they are read."""

    def __init__(self, stream: IO[bytes], scheme: Scheme) -> None:
        self.stream, self.total = stream, HASHES[scheme]()

    def read(self, size: int = -1, /) -> bytes:
        data = self.stream.read(size)
        self.total.update(data)
        return data


def unpack(stream: BinaryIO, folder: Path) -> dict[str, str]:
    """Writes every file of an archive below `folder` (0600); gives their digests by the first algorithm. Raises
    BadInput if it is no backup: believe nothing of it before `proven`."""
    found: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                target = folder / _safe(member)
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                source = tar.extractfile(member)
                assert source is not None
                hashing = _Hashing(source, FIRST)
                with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    while data := hashing.read(1 << 20):
                        out.write(data)
                found[member.name] = hashing.total.hexdigest()
    except (tarfile.TarError, FileExistsError, ValueError):
        raise _unreadable() from None
    return found


def proven(folder: Path, found: dict[str, str]) -> tuple[Manifest, str]:
    """The manifest of what was unpacked, and its digest. Raises BadInput if a file is missing, changed or added, or if
    the manifest is not signed with the signing key that lies in the backup."""
    try:
        body = (folder / MANIFEST).read_bytes()
        said: dict[str, Any] = json.loads(body)
        if said.pop("format") != FORMAT:
            raise ValueError
        manifest = Manifest(**{**said, "digests": Scheme(said.get("digests", FIRST))})
        signature = (folder / SIGNATURE).read_text(errors="replace")
        keys = signatures.public_lines(folder / "keys" / f"{HOLDER_SIGNING}.pub")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unreadable() from None
    there = {name: digest for name, digest in found.items() if name not in (MANIFEST, SIGNATURE)}
    if manifest.digests is not FIRST:  # it is last in the archive: what came before was read by the first
        there = {name: of_file(folder / name, manifest.digests) for name in there}
    if there != manifest.files or signatures.signer(body, signature, keys, signatures.BACKUP) is None:
        what = "a file of the backup is missing, changed or added, or the holder did not sign it"
        raise BadInput("BACKUP_BROKEN", what, remedy="Use another backup.")
    return manifest, of_bytes(body, manifest.digests)


def _safe(member: tarfile.TarInfo) -> str:
    """The name of a plain file inside the folder; raises ValueError for anything else."""
    path = PurePosixPath(member.name)
    known = path.parts[:1] and path.parts[0] in (*BEFORE, *AFTER, LEDGER, MANIFEST, SIGNATURE)
    if not (member.isfile() and known) or path.is_absolute() or ".." in path.parts:
        raise ValueError
    return path.as_posix()


def _unreadable() -> BadInput:
    return BadInput("BACKUP_UNREADABLE", "the backup cannot be read", remedy=_OTHER)
