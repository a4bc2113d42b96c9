"""Takes a submission in: copies it while hashing, proves that it is what its letter says, never reads the source again.

What counts is the digest of the bytes that were copied, so nothing that happens to the source afterwards matters. Paths
are opened one folder at a time without following symbolic links: a submission cannot point outside itself.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from expectations.base import signatures
from expectations.base.digests import name_of_bytes
from expectations.base.errors import BadInput
from expectations.instruments import Agreement, DataFile, Letter, parse_kept_letter, parse_letter

LETTER, SIGNATURE = "letter.toml", "letter.toml.sig"
MAX_LETTER = 1 << 20
MAX_BYTES = 64 << 30  # of all data files together
_CHUNK = 1 << 20
_SEEN = 10_000  # so many entries of a folder are looked at
# File names end up in paths, messages and globs: plain ones only.
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*(/[A-Za-z0-9_][A-Za-z0-9_. -]*)*")


@dataclass(frozen=True)
class TakenIn:
    """A submission as it was copied to `folder`. `digest` is over letter and signature; the letter holds the files'."""

    folder: Path
    letter: Letter
    letter_bytes: bytes
    signature: str

    @property
    def digest(self) -> str:
        return name_of_bytes(self.letter_bytes + b"\0" + self.signature.encode())

    @property
    def batch(self) -> str:
        """Public name of the batch: the same letter is the same batch, however often it is signed."""
        return f"b-{name_of_bytes(self.letter_bytes)[:12]}"


def take_in(
    source: Path, target: Path, *, limit: int = MAX_BYTES, unsigned: bool = False, faults: list[BadInput] | None = None
) -> TakenIn:
    """Copies the submission in `source` into the new or empty folder `target` (0700, files 0600).

    limit     bytes of all data files together
    unsigned  a letter that is not signed yet is taken too, with an empty signature (pre-flight)
    faults    gathers what is wrong with single data files, where it would be raised otherwise (pre-flight)

    Raises BadInput, naming file and remedy: LETTER_MISSING, SIGNATURE_MISSING,
    LETTER_UNREADABLE, LETTER_INVALID, FILE_MISSING, FILE_TWICE, FILE_EMPTY, FILE_CHANGED, PATH_OUTSIDE, NOT_A_FILE,
    DIGEST_DIFFERS, TOO_LARGE. Whether the signature is the agreement's is for `verify_signature`.
    """
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = _small(source, LETTER, "LETTER_MISSING")
    signature = "" if unsigned and not os.path.lexists(source / SIGNATURE) else _signature(source)
    letter = parse_letter(said)
    _check_paths(letter.files)
    _put(target / LETTER, said)
    _put(target / SIGNATURE, signature.encode())
    left = limit
    for file in letter.files:
        try:
            left -= _copy(source, target, file, left)
        except BadInput as error:
            if faults is None:
                raise
            faults.append(error)
    return TakenIn(target, letter, said, signature)


def taken_in(folder: Path) -> TakenIn:
    """What `take_in` copied to `folder` before; raises BadInput as `take_in` does if letter or signature are gone."""
    said = _small(folder, LETTER, "LETTER_MISSING")
    return TakenIn(folder, parse_kept_letter(said), said, _signature(folder))


def letter_bytes(folder: Path) -> bytes:
    """As much of the letter as may be read; nothing if it is no plain, readable file. Never waits, never raises."""
    return _some(folder, LETTER)


def shape(folder: Path) -> bytes:
    """What can be seen of a submission without a letter: names, kinds and sizes of what lies in it, and the signature.

    Never waits, follows no link, never raises.
    """
    seen = []
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            for entry in islice(entries, _SEEN):
                found = entry.stat(follow_symlinks=False)
                seen.append(b"%s %o %d" % (entry.name, found.st_mode, found.st_size))
    except OSError as error:
        seen.append(type(error).__name__.encode())
    return b"\0".join([*sorted(seen), _some(folder, SIGNATURE)])


def _some(folder: Path, name: str) -> bytes:
    try:
        with _opened(folder, name, "LETTER_MISSING") as handle:
            return os.read(handle, MAX_LETTER)
    except (BadInput, OSError):
        return b""


def verify_signature(taken: TakenIn, agreement: Agreement) -> str:
    """The key of `agreement` that signed the letter as a letter; raises BadInput if none did: LETTER_KEY_UNKNOWN if
    another key signed it, LETTER_UNSIGNED if the signature does not fit the letter."""
    allowed = list(agreement.letter_keys)
    key = signatures.signer(taken.letter_bytes, taken.signature, allowed, signatures.LETTER)
    if key is not None:
        return key
    remedy = f"Sign it with ssh-keygen -Y sign -n {signatures.LETTER} -f KEY {LETTER}, KEY being a signatory's."
    if signatures.made_by(taken.letter_bytes, taken.signature, signatures.LETTER):
        message = "the letter is signed, but with a key that the agreement does not name"
        raise BadInput("LETTER_KEY_UNKNOWN", message, where=SIGNATURE, remedy=remedy)
    message = "the signature is not one of this letter: the letter was changed, or signed for another use"
    raise BadInput("LETTER_UNSIGNED", message, where=SIGNATURE, remedy=remedy)


def _signature(folder: Path) -> str:
    return _small(folder, SIGNATURE, "SIGNATURE_MISSING").decode("utf-8", "replace")


def _small(folder: Path, name: str, missing: str) -> bytes:
    """The bytes of letter or signature."""
    with _opened(folder, name, missing) as handle:
        data = b""
        while len(data) <= MAX_LETTER and (chunk := os.read(handle, _CHUNK)):
            data += chunk
    if len(data) > MAX_LETTER:
        raise BadInput("TOO_LARGE", "the file is larger than 1 MiB", where=name, remedy="Put rows into data files.")
    return data


def _check_paths(files: tuple[DataFile, ...]) -> None:
    seen: set[str] = set()
    for number, file in enumerate(files, 1):
        where = f"{LETTER}, file {number}"
        if not _PATH.fullmatch(file.path):
            remedy = "Use letters, digits, spaces and . _ - between slashes, without .. or a leading slash."
            message = "the path of a data file is not a plain path inside the submission"
            raise BadInput("PATH_OUTSIDE", message, where=where, remedy=remedy)
        if file.path in seen or file.path in (LETTER, SIGNATURE):
            raise BadInput("FILE_TWICE", "a file is listed twice", where=where, remedy="List each file once.")
        seen.add(file.path)


def _copy(source: Path, target: Path, file: DataFile, limit: int) -> int:
    """Copies one data file while hashing; returns its size in bytes."""
    total, size = hashlib.sha256(), 0  # as the letter's form says
    with _opened(source, file.path, "FILE_MISSING") as handle, _created(target / file.path) as copy:
        before = os.fstat(handle)
        while chunk := os.read(handle, _CHUNK):
            size += len(chunk)
            if size > limit:
                remedy = "Split the batch."
                raise BadInput("TOO_LARGE", "the data files are larger than allowed", where=file.path, remedy=remedy)
            total.update(chunk)
            copy.write(chunk)
        after = os.fstat(handle)
    same = all(getattr(before, name) == getattr(after, name) for name in ("st_ino", "st_size", "st_mtime_ns"))
    if not same or size != before.st_size:
        remedy = f"Finish writing before {SIGNATURE} is put in place, then submit again."
        raise BadInput("FILE_CHANGED", "the file changed while it was read", where=file.path, remedy=remedy)
    if size == 0:
        raise BadInput("FILE_EMPTY", "the file is empty", where=file.path, remedy="Leave it out of the letter.")
    if total.hexdigest() != file.sha256:
        remedy = "Send the file that was signed for, or sign a new letter."
        message = "the file is not the one that the letter names: its SHA-256 differs"
        raise BadInput("DIGEST_DIFFERS", message, where=file.path, remedy=remedy)
    return size


@contextmanager
def _opened(folder: Path, path: str, missing: str) -> Iterator[int]:
    """A read handle on a regular file below `folder`, reached without following a symbolic link."""
    try:
        handle = _open(folder, PurePosixPath(path).parts)
    except FileNotFoundError:
        remedy = "Put it into the submission's folder."
        raise BadInput(missing, "the file is not there", where=path, remedy=remedy) from None
    except OSError as error:
        raise _unreachable(error, path) from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadInput("NOT_A_FILE", "it is not a regular file", where=path, remedy="Send a regular file.")
        yield handle
    finally:
        os.close(handle)


def _open(folder: Path, parts: tuple[str, ...]) -> int:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for depth, step in enumerate(parts, 1):
        kind = os.O_NONBLOCK if depth == len(parts) else os.O_DIRECTORY
        try:
            # O_NONBLOCK: opening a pipe must not wait for its other end
            inner = os.open(step, os.O_RDONLY | os.O_NOFOLLOW | kind, dir_fd=handle)
        finally:
            os.close(handle)
        handle = inner
    return handle


def _unreachable(error: OSError, path: str) -> BadInput:
    if isinstance(error, NotADirectoryError) or error.errno == errno.ELOOP:
        remedy = "Send plain files and folders."
        message = "a symbolic link, or a file in place of a folder, stands on the path"
        return BadInput("PATH_OUTSIDE", message, where=path, remedy=remedy)
    remedy = "Check its permissions and the disk."
    return BadInput("FILE_UNREADABLE", f"the file cannot be read ({type(error).__name__})", where=path, remedy=remedy)


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    """A file of ours to write (0600), on the disk when this ends."""
    for folder in reversed(path.parents):
        folder.mkdir(exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _put(path: Path, data: bytes) -> None:
    with _created(path) as stream:
        stream.write(data)
