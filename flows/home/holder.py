"""The holder's private keys, read from where they lie: for whoever signs or opens, and nobody else."""

from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.digests import name_of_bytes
from expectations.base.errors import SluicegateError
from flows.home.tree import HOLDER_AGE, HOLDER_SIGNING, Home
from pipelines import sealing
from pipelines.lake import durable

EARLIER = "earlier"  # the folder in keys/ of age keys that others took the place of


def signing_key(home: Home) -> Ed25519PrivateKey:
    """What signs packages, recall lists, backups and heads; raises Usage or BadInput if it cannot be read."""
    place = home.key(HOLDER_SIGNING)
    return signatures.parse(place.read_key(), place.name)


def identity(home: Home) -> sealing.Identity:
    """What opens accounting, proofs and the keys of evidence, those that were sealed to an earlier key as well; raises
    Usage or BadInput if it cannot be read."""
    place = home.key(HOLDER_AGE)
    now = sealing.parse_identity(place.read_key(), place.name)
    kept = sorted(earlier(home, now).glob("[!.]*.age"))
    return replace(now, earlier=tuple(sealing.open_secret(path, now).secret for path in kept))


def earlier(home: Home, now: sealing.Identity) -> Path:
    """Where the age keys lie whose place this one took, each sealed to it."""
    return home.keys / EARLIER / name_of_bytes(now.recipient.encode())[:16]


def earlier_are_kept(home: Home) -> bool:
    """Whether any is kept. No key is read."""
    return any((home.keys / EARLIER).glob("*/[!.]*.age"))


def keep_earlier(home: Home, new: sealing.Identity) -> None:
    """Seals the present age key, and those before it, to the one that takes its place. Safe to repeat: until that one
    is there, its folder is read by nobody. Where the present one is lost there is nothing to keep."""
    try:
        now = identity(home)
    except SluicegateError:
        return
    if now.recipient == new.recipient:
        return
    folder = earlier(home, new)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number, secret in enumerate((now.secret, *now.earlier)):
        own = sealing.parse_identity(secret.encode(), HOLDER_AGE)
        durable.write(folder / f"{number}.age", sealing.seal_secret(own, new.recipient), mode=0o600)
    durable.folder(folder)
