"""A folder of sealed files with a manifest that the holder signed: how packages and recall lists travel.

The manifest names every file with its size and its digest, under the algorithm's name, so that its signature (Ed25519,
SSH form) covers the folder whole. Whoever checks it needs the holder's public key and nothing else.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import algorithms, digests, signatures
from expectations.base.algorithms import Scheme
from expectations.base.errors import BadInput
from pipelines import sealing
from pipelines.lake import durable
from pipelines.lake.workplace import locked_folder
from pipelines.sealing import Identity

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
_AGAIN = "Get it again from the holder, and report this."


@dataclass(frozen=True)
class Kind:
    """What such a folder is: the `format` that its manifest names, and the `sealed` files in it."""

    format: str
    sealed: tuple[str, ...]


def build(
    place: Path,
    kind: Kind,
    write: Callable[[Path], Mapping[str, Any]],
    recipients: Sequence[str],
    holder_key: Ed25519PrivateKey,
) -> bytes:
    """Makes a signed folder at `place`, whole or not at all; gives its manifest's bytes. An earlier one is replaced.

    `write` puts the files as plaintext into the folder that it is given, and gives what the manifest says of them. It
    is built beside its place and renamed; sealing is random, so that after a crash it is sealed again, never gone on
    with.
    """
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked_folder(place.parent, ".sealing-") as work:
        plain, sealed = work / "plain", work / "sealed"
        plain.mkdir(mode=0o700)
        sealed.mkdir(mode=0o700)
        statement = write(plain)
        for name in kind.sealed:
            sealing.seal_file(plain / name.removesuffix(".age"), sealed / name, recipients)
        body = sign(sealed, kind, statement, holder_key)
        durable.fsync(sealed)
        if place.exists():
            shutil.rmtree(place)  # a crash here leaves nothing in its place, and the next run seals again
        sealed.rename(place)
        durable.fsync(place.parent)
    return body


def unseal(folder: Path, kind: Kind, identity: Identity, into: Path) -> None:
    """Decrypts the files of `folder` into `into` (made, 0700); raises BadInput if they are sealed to another key."""
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in kind.sealed:
        sealing.open_file(folder / name, into / name.removesuffix(".age"), identity)


def sign(folder: Path, kind: Kind, statement: Mapping[str, Any], holder_key: Ed25519PrivateKey) -> bytes:
    """Writes manifest and signature beside the sealed files of `folder`; gives the manifest's bytes."""
    by = algorithms.in_force().value
    files = {n: {by: digests.of_file(folder / n), "bytes": (folder / n).stat().st_size} for n in kind.sealed}
    body = digests.canonical_json({"format": kind.format, **statement, "files": files}) + b"\n"
    durable.write(folder / MANIFEST, body)
    durable.write(folder / SIGNATURE, signatures.sign(body, holder_key, signatures.MANIFEST).encode())
    return body


def verify(folder: Path, kind: Kind, holders: Sequence[str]) -> dict[str, Any]:
    """The manifest, once its signature (by one of the public keys `holders`) and every file agree with it. Raises
    BadInput saying which file is missing, added, changed, cut off or unsigned."""
    _complete(folder, kind)
    body = (folder / MANIFEST).read_bytes()
    _signed(body, (folder / SIGNATURE).read_text(errors="replace"), list(holders))
    manifest = stated(folder)
    if manifest.get("format") != kind.format or set(manifest["files"]) != set(kind.sealed):
        raise BadInput("PACKAGE_FORMAT", "the manifest has another format than is read here", where=MANIFEST)
    for name, facts in manifest["files"].items():
        size = (folder / name).stat().st_size
        if size != facts["bytes"]:
            what = "is cut off" if size < facts["bytes"] else "is longer than what was signed"
            raise BadInput("PACKAGE_CHANGED", f"a sealed file {what}", where=name, remedy=_AGAIN)
        scheme, digest = _named(facts)
        if digests.of_file(folder / name, scheme) != digest:
            message = "a sealed file is not the one that was signed"
            raise BadInput("PACKAGE_CHANGED", message, where=name, remedy=_AGAIN)
    return manifest


def algorithm(manifest: Mapping[str, Any]) -> Scheme:
    """What the digests in a manifest are made by, its content digest too."""
    return _named(next(iter(manifest["files"].values())))[0]


def _named(facts: Mapping[str, Any]) -> tuple[Scheme, str]:
    try:
        return algorithms.named(facts)
    except KeyError:
        what = "the manifest names no algorithm that is known here"
        raise BadInput("PACKAGE_FORMAT", what, where=MANIFEST, remedy="Use a newer version.") from None


def stated(folder: Path) -> dict[str, Any]:
    """What the manifest says, unverified. Raises BadInput if it is no table."""
    try:
        return dict(json.loads((folder / MANIFEST).read_bytes()))
    except (ValueError, TypeError, RecursionError):
        raise BadInput("PACKAGE_FORMAT", "the manifest cannot be read", where=MANIFEST, remedy=_AGAIN) from None


def _complete(folder: Path, kind: Kind) -> None:
    expected = {*kind.sealed, MANIFEST, SIGNATURE}
    found = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    if missing := sorted(expected - found):
        raise BadInput("PACKAGE_INCOMPLETE", "a file of the package is missing", where=missing[0], remedy=_AGAIN)
    if found - expected:  # a name that is not ours may hold anything, so it is not shown
        raise BadInput("PACKAGE_HAS_MORE", "the package holds a file that does not belong to it", remedy=_AGAIN)
    if strange := sorted(name for name in expected if not (folder / name).is_file()):
        raise BadInput("PACKAGE_CHANGED", "what should be a file is none", where=strange[0], remedy=_AGAIN)


def _signed(body: bytes, signature: str, holders: list[str]) -> None:
    if signatures.signer(body, signature, holders, signatures.MANIFEST) is not None:
        return
    named = signatures.named(signature)
    keys = {" ".join(line.split()[:2]) for line in holders}
    if named is None:
        where, what = SIGNATURE, "the signature cannot be read"
    elif named[1] != signatures.MANIFEST:
        where, what = SIGNATURE, "the signature was made for another use"
    elif named[0] not in keys:
        where, what = SIGNATURE, "the signature is of another key than the holder's"
    else:
        where, what = MANIFEST, "the manifest is not the one that was signed"
    raise BadInput("PACKAGE_UNSIGNED", what, where=where, remedy=_AGAIN)
