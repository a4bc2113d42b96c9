"""Signatures of operators as files: made with a key, read to be handed in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from expectations import signatures
from expectations.clock import Clock
from expectations.errors import BadInput
from flows.home import open_home
from flows.ledger import Ledger

SIGNATURE = typer.Option(help="An operator's signature; give two.")
Signatures = Annotated[list[Path], SIGNATURE]
Key = Annotated[Path, typer.Option(help="The operator's private key (Ed25519, OpenSSH form).")]


def read(files: Iterable[Path]) -> dict[str, str]:
    """The signatures in these files, by file; raises BadInput if one cannot be read."""
    return {str(path): text(path).decode("utf-8", errors="replace") for path in files}


def text(path: Path) -> bytes:
    """The bytes of a file that a person named; raises BadInput if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        raise BadInput("FILE_UNREADABLE", "the file cannot be read", where=path.name, remedy="Give its path.") from None


def write(said: bytes, key: Path, namespace: str, beside: Path, shown: bool = False) -> None:
    """Signs `said` with an enrolled operator's key and writes BESIDE.OPERATOR.sig; or, `shown`, prints the signature."""
    private = signatures.load(key)
    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        name = ledger.operator_of(signatures.public_line(private))
    signature = signatures.sign(said, private, namespace)
    if shown:
        print(signature, end="")
        return
    target = beside.with_name(f"{beside.name}.{name}.sig")
    target.write_text(signature)
    print(f"Signed by {name}: {target}")
