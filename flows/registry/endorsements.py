"""Signatures of operators over instruments and operators, made with a key and written to files."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
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
