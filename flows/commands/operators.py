"""Commands for operators: whose signatures count. The first two come with the home; later ones, and revocations, take two keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from expectations import signatures
from expectations.clock import Clock
from flows.commands.output import print_json, print_table
from flows.commands.signing import SIGNATURE, Key, Signatures, read, text, write
from flows.home import open_home
from flows.ledger import Ledger
from flows.ledger.signing import fingerprint

app = typer.Typer(help="Operators, whose signatures count.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The operator's id.")]
PublicKey = Annotated[Path, typer.Argument(help="The operator's public key (ssh-ed25519 …).")]
ToEnrol = Annotated[Path | None, typer.Argument(help="To enrol: the public key. To revoke: nothing.")]


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> int:
    """All operators, revoked ones too."""
    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        rows = [
            (o.name, fingerprint(o.key_line), f"{o.enrolled_at:%Y-%m-%d}", f"{o.revoked_at:%Y-%m-%d}" if o.revoked_at else "")
            for o in ledger.operators()
        ]  # fmt: skip
    names = ["operator", "key", "enrolled", "revoked"]
    print_json([dict(zip(names, r, strict=True)) for r in rows]) if json else print_table("Operators", names, rows)
    return 0


@app.command()
def message(name: Name, public_key: ToEnrol = None) -> int:
    """Print what two operators sign to enrol NAME with this public key, or without one to revoke it.

    ssh-keygen signs it too: ssh-keygen -Y sign -n sluicegate-operator.
    """
    print(_message(name, public_key).decode(), end="")
    return 0


@app.command()
def sign(name: Name, key: Key, public_key: ToEnrol = None) -> int:
    """Sign that NAME is enrolled with this public key, or without one that it is revoked. Writes NAME.OPERATOR.sig here."""
    write(_message(name, public_key), key, signatures.OPERATOR, Path(name))
    return 0


def _message(name: str, public_key: Path | None) -> bytes:
    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        return ledger.operator_message(name, _line(public_key) if public_key else None)


def _line(public_key: Path) -> str:
    return text(public_key).decode("utf-8", errors="replace")


@app.command()
def enrol(name: Name, public_key: PublicKey, signature: Annotated[list[Path] | None, SIGNATURE] = None) -> int:
    """Enrol an operator. After the first two, two operators sign it first: sluicegate operator sign NAME PUBLIC_KEY --key KEY."""
    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        ledger.enrol_operator(name, _line(public_key), read(signature or []))
    print(f"Enrolled operator {name}")
    return 0


@app.command()
def revoke(name: Name, signature: Signatures) -> int:
    """Revoke an operator, by two others' signatures: sluicegate operator sign NAME --key KEY. In the meantime there is halt."""
    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        ledger.revoke_operator(name, read(signature))
    print(f"Revoked operator {name}")
    return 0
