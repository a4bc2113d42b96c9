"""Sealing: files encrypted with age (age-encryption.org) to one or more X25519 recipients, as streams.

age because it has one modern mode, no options to get wrong, and a tool that every recipient can have. Each sealing is
random: compare content digests, never sealed bytes.
"""

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal

import pyrage

from expectations.base.errors import BadInput, Fault


@dataclass(frozen=True)
class Identity:
    """A private key (`secret`, never printed) and the `recipient` that files are sealed to for it. `earlier`: keys
    whose place it took, which open what was sealed to them."""

    secret: str = field(repr=False)
    recipient: str
    earlier: tuple[str, ...] = field(default=(), repr=False)

    @property
    def alone(self) -> "Identity":
        """The same without the earlier keys."""
        return replace(self, earlier=())

    @property
    def opening(self) -> list[pyrage.x25519.Identity]:
        """Every key that opens; raises pyrage.IdentityError if one is none."""
        return [pyrage.x25519.Identity.from_str(one) for one in (self.secret, *self.earlier)]


def new_identity() -> Identity:
    """A fresh key pair; held in memory unless the caller saves it."""
    key = pyrage.x25519.Identity.generate()
    return Identity(str(key), str(key.to_public()))


def save_identity(identity: Identity, path: Path) -> None:
    """Writes the secret to `path` (0600), in the form of the age tools; raises FileExistsError if it is there."""
    with _private(path, exclusive=True) as stream:
        stream.write(written(identity))


def written(identity: Identity) -> bytes:
    """The secret in the form of the age tools."""
    return f"# public key: {identity.recipient}\n{identity.secret}\n".encode()


def load_identity(path: Path) -> Identity:
    """The identity at `path`; raises BadInput if there is no readable one."""
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    return parse_identity(data, path.name)


def parse_identity(data: bytes, where: str) -> Identity:
    """The identity that is written so; raises BadInput as `load_identity` does. `where`: what it is from."""
    try:
        lines = data.decode().splitlines()
        key = pyrage.x25519.Identity.from_str(next(line for line in lines if line.startswith("AGE-SECRET-KEY-")))
    except (UnicodeDecodeError, StopIteration, pyrage.IdentityError):
        remedy = "Make one with age-keygen."
        raise BadInput("IDENTITY_UNREADABLE", "the age key cannot be read", where=where, remedy=remedy) from None
    return Identity(str(key), str(key.to_public()))


def seal_file(source: Path, target: Path, recipients: Iterable[str]) -> None:
    """Encrypts `source` to every recipient into `target` (0600, synced to disk). Raises BadInput on a recipient that is
    none, Fault if nobody could open it or it cannot be written."""
    keys = [_recipient(r) for r in recipients]
    if not keys:
        raise Fault("NO_RECIPIENT", "a file sealed to nobody could never be opened")
    try:
        with source.open("rb") as plain, _private(target) as sealed:
            pyrage.encrypt_io(plain, sealed, keys)
    except (OSError, pyrage.EncryptError):
        target.unlink(missing_ok=True)
        raise Fault("SEALING_FAILED", "the file could not be sealed", where=target.name) from None


def open_file(source: Path, target: Path, identity: Identity) -> None:
    """Decrypts `source` into `target` (0600); raises BadInput, leaving no target, if it is another's or changed. age
    authenticates chunk by chunk as it streams, so that a late fault would leave the start of the plaintext behind."""
    try:
        with source.open("rb") as sealed, _private(target) as plain:
            pyrage.decrypt_io(sealed, plain, identity.opening)
    except (OSError, pyrage.DecryptError, pyrage.IdentityError):
        target.unlink(missing_ok=True)
        remedy = "Use the key that it was sealed to, or get the file again."
        message = "the file was sealed to another key, or was changed"
        raise BadInput("SEAL_BROKEN", message, where=source.name, remedy=remedy) from None


@contextmanager
def sealed_stream(target: Path, recipients: Iterable[str]) -> Iterator[BinaryIO]:
    """What is written into it is sealed to every recipient in `target` (0600, synced): no plaintext touches a disk.
    Raises BadInput on a recipient that is none, Fault if it cannot be written."""
    keys = [_recipient(r) for r in recipients]
    with _private(target) as sealed, _piped(lambda plain: pyrage.encrypt_io(plain, sealed, keys), "r") as stream:
        yield stream


@contextmanager
def opened_stream(source: Path, identity: Identity) -> Iterator[BinaryIO]:
    """What `source` holds, to be read as it is opened, without plaintext on a disk. Raises BadInput at the end of the
    block if it is another's, was changed or is cut short: believe nothing that was read before."""
    keys = identity.opening
    try:
        with source.open("rb") as sealed, _piped(lambda plain: pyrage.decrypt_io(sealed, plain, keys), "w") as stream:
            yield stream
            while stream.read(1 << 20):  # to its very end: only there is it known that nothing is missing
                pass
    except (OSError, pyrage.DecryptError):
        remedy = "Use the key that it was sealed to, or get the file again."
        message = "the file was sealed to another key, was changed, or is cut short"
        raise BadInput("SEAL_BROKEN", message, where=source.name, remedy=remedy) from None


@contextmanager
def _piped(work: Callable[[BinaryIO], None], end: Literal["r", "w"]) -> Iterator[BinaryIO]:
    """Runs `work` beside us with one end of a pipe (it reads or writes), and gives us the other; raises what it
    raised, which explains what happened at our end."""
    failed: list[Exception] = []
    reader, writer = os.pipe()
    theirs, ours = (os.fdopen(reader, "rb"), os.fdopen(writer, "wb"))[:: 1 if end == "r" else -1]

    def run() -> None:
        with theirs:
            try:
                work(theirs)
            except Exception as error:  # raised again below, by whoever waits for it
                failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ours
    except Exception as error:
        failed.append(error)  # before our end is closed, which may fail their work
    finally:
        with suppress(OSError):  # they are gone, and say why
            ours.close()
        thread.join()
    if failed:
        raise failed[0]


def opens(source: Path, identity: Identity) -> bool:
    """Whether one of its keys opens `source`, by what stands at its beginning: nothing else of it is read or proven."""
    taken = _Nothing()
    try:
        with source.open("rb") as sealed:
            pyrage.decrypt_io(sealed, taken, identity.opening)
    except (OSError, pyrage.DecryptError):
        return taken.came
    return True  # it is empty


class _Nothing(io.RawIOBase):
    """Takes no plaintext; `came`: some was to be written, so that a key fitted."""

    came = False

    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> int:
        self.came = True
        raise OSError


def seal_anew(source: Path, target: Path, identity: Identity, to: Identity) -> None:
    """Seals what `source` holds once more, to `to` alone, as `target` (0600, synced, and as old as `source`). No
    plaintext touches a disk. The new file is opened again: it holds the same. Raises BadInput if `identity` does not
    open `source`, or it was changed; Fault if it cannot be written, or holds anything else. Then there is no target."""
    try:
        before = hashlib.sha256()
        with opened_stream(source, identity) as plain, sealed_stream(target, [to.recipient]) as sealed:
            while data := plain.read(1 << 20):
                before.update(data)
                sealed.write(data)
        if _content(target, to.alone) != before.digest():
            raise Fault("SEALING_FAILED", "the file that was sealed anew holds something else", where=target.name)
        times = source.stat()
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _content(source: Path, identity: Identity) -> bytes:
    """The digest of what a file holds."""
    total = hashlib.sha256()
    with opened_stream(source, identity) as plain:
        while data := plain.read(1 << 20):
            total.update(data)
    return total.digest()


def seal_secret(identity: Identity, recipient: str) -> bytes:
    """The secret of an identity, sealed to a recipient: it never lies on a disk as plaintext."""
    return bytes(pyrage.encrypt(identity.secret.encode(), [_recipient(recipient)]))


def open_secret(sealed: Path, identity: Identity) -> Identity:
    """The identity whose secret was sealed to `identity`; raises BadInput if it was sealed to others or changed."""
    try:
        opened = pyrage.decrypt(sealed.read_bytes(), identity.opening)
        key = pyrage.x25519.Identity.from_str(opened.decode())
    except (OSError, UnicodeDecodeError, pyrage.DecryptError, pyrage.IdentityError):
        remedy = "Restore it, or the key that it was sealed to."
        message = "the key was sealed to another key, or was changed"
        raise BadInput("SEAL_BROKEN", message, where=sealed.name, remedy=remedy) from None
    return Identity(str(key), str(key.to_public()))


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        remedy = "Correct it in the agreement."
        raise BadInput("RECIPIENT_UNREADABLE", "a recipient is not an age public key", remedy=remedy) from None


@contextmanager
def _private(path: Path, *, exclusive: bool = False) -> Iterator[BinaryIO]:
    """A new file that only we can read, on the disk when the block ends; an older file at `path` is replaced."""
    if not exclusive:
        path.unlink(missing_ok=True)  # never write into a file that somebody else may have made readable
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
