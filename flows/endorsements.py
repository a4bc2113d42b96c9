"""Signatures of operators over instruments and operators, as files: made with a key, and read to be handed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import signatures
from expectations.errors import BadInput
from flows.ledger import Ledger


@dataclass(frozen=True)
class Endorsement:
    """What an operator signed: the operator's id, and the signature (SSH form)."""

    operator: str
    signature: str

    def write(self, beside: Path) -> Path:
        """Writes BESIDE.OPERATOR.sig; gives its path."""
        target = beside.with_name(f"{beside.name}.{self.operator}.sig")
        target.write_text(self.signature)
        return target


def sign(ledger: Ledger, message: bytes, key: Ed25519PrivateKey, namespace: str) -> Endorsement:
    """Signs with an operator's key; raises BadInput if the key is not that of an enrolled operator."""
    operator = ledger.operator_of(signatures.public_line(key))
    return Endorsement(operator, signatures.sign(message, key, namespace))


def read(files: Iterable[Path]) -> dict[str, str]:
    """The signatures in these files, by file; raises BadInput if one cannot be read."""
    return {str(path): _text(path) for path in files}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise BadInput("FILE_UNREADABLE", "the file cannot be read", where=path.name, remedy="Give its path.") from None
