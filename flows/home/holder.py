"""The holder's private keys, read from where they lie: for whoever signs or opens, and nobody else."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from flows.home.tree import HOLDER_AGE, HOLDER_SIGNING, Home
from pipelines import sealing


def signing_key(home: Home) -> Ed25519PrivateKey:
    """What signs packages, recall lists, backups and heads; raises Usage or BadInput if it cannot be read."""
    place = home.key(HOLDER_SIGNING)
    return signatures.parse(place.read_key(), place.name)


def identity(home: Home) -> sealing.Identity:
    """What opens accounting, proofs and the keys of evidence; raises Usage or BadInput if it cannot be read."""
    place = home.key(HOLDER_AGE)
    return sealing.parse_identity(place.read_key(), place.name)
