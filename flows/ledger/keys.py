"""Public keys and signatures of operators."""

from __future__ import annotations

import base64
import binascii

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations import signatures
from expectations.digests import of_bytes
from expectations.errors import BadInput
from flows.ledger.models import Operator

_TYPE = "ssh-ed25519"


def plain_key(line: str) -> str:
    """Type and key of a line of authorized_keys, without its comment; raises BadInput if it is no Ed25519 key."""
    parts = line.split()
    if len(parts) < 2 or parts[0] != _TYPE or len(_blob(parts[1])) != 51:
        raise BadInput("KEY_NOT_ED25519", "the public key is not an Ed25519 key in OpenSSH form",
                       remedy="Give the .pub file that ssh-keygen -t ed25519 made.")  # fmt: skip
    return " ".join(parts[:2])


def fingerprint(key: str) -> str:
    """SHA-256 of the public key, in hex."""
    return of_bytes(_blob(key.partition(" ")[2]))


def _blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def signing_operator(session: Session, message: bytes, key_line: str, signature: str) -> Operator:
    """The enrolled operator who signed `message` with this key; raises BadInput if nobody did."""
    key = plain_key(key_line)
    operator = session.scalar(select(Operator).where(Operator.key_line == key, Operator.revoked_at.is_(None)))
    if operator is None:
        raise BadInput("KEY_NOT_ENROLLED", "this key is not that of an enrolled operator", remedy="Have it enrolled.")
    if signatures.signer(message, signature, [key], signatures.DECISION) is None:
        raise BadInput("BAD_SIGNATURE", "the signature is not this key's over this decision",
                       remedy="Sign what sluicegate review show prints, anew for each hold.")  # fmt: skip
    return operator
