"""`sluicegate operator`: whose signatures count. Two come with the home; later ones, and revocations, take two keys."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from typer import Argument

from expectations.base import signatures
from flows.cli.command import SIGNATURE, Json, Key, Signatures, at_home, file_text, group, show, signatures_in
from flows.ledger import Ledger
from flows.ledger.signing import fingerprint
from flows.operations.printing import print_table
from flows.registry import endorsements

app = group(name="operator", help="Operators, whose signatures count.")
Name = Annotated[str, Argument(help="The operator's id.")]
PublicKey = Annotated[Path, Argument(help="The operator's public key (ssh-ed25519 …).")]
ToEnrol = Annotated[Path | None, Argument(help="To enrol: the public key. To revoke: leave it out.")]


@app.command("list")
def list_(json: Json = False) -> int:
    """All operators, revoked ones too."""
    with at_home() as (_, ledger):
        rows = [[o.name, fingerprint(o.key_line), _day(o.enrolled_at), _day(o.revoked_at)] for o in ledger.operators()]
    titles = ["operator", "key", "enrolled", "revoked"]
    operators = [dict(zip(titles, row, strict=True)) for row in rows]
    return show(operators, json, lambda _: print_table("Operators", titles, rows))


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else ""


@app.command()
def message(name: Name, public_key: ToEnrol = None) -> None:
    """Print what two operators sign to enrol NAME with this public key, or without one to revoke it.

    ssh-keygen signs it too: ssh-keygen -Y sign -n sluicegate-operator.
    """
    with at_home() as (_, ledger):
        print(_message(ledger, name, public_key).decode(), end="")


@app.command()
def sign(name: Name, key: Key, public_key: ToEnrol = None) -> None:
    """Sign that NAME is enrolled with this public key, or without one that it is revoked.

    Writes NAME.OPERATOR.sig into this folder.
    """
    with at_home() as (_, ledger):
        said = _message(ledger, name, public_key)
        signed = endorsements.sign(ledger, said, signatures.load(key), signatures.OPERATOR)
    print(f"Signed by {signed.operator}: {signed.write(Path(name))}")


def _message(ledger: Ledger, name: str, public_key: Path | None) -> bytes:
    return ledger.operator_message(name, file_text(public_key) if public_key else None)


@app.command()
def enrol(name: Name, public_key: PublicKey, signature: Annotated[list[Path] | None, SIGNATURE] = None) -> None:
    """Enrol an operator.

    After the first two, two operators sign it first: sluicegate operator sign NAME PUBLIC_KEY --key KEY.
    """
    with at_home() as (_, ledger):
        ledger.enrol_operator(name, file_text(public_key), signatures_in(signature or []))
    print(f"Enrolled operator {name}")


@app.command()
def revoke(name: Name, signature: Signatures) -> None:
    """Revoke an operator, by two others' signatures.

    They sign it first: sluicegate operator sign NAME --key KEY. Until then, sluicegate halt stops all releases.
    """
    with at_home() as (_, ledger):
        ledger.revoke_operator(name, signatures_in(signature))
    print(f"Revoked operator {name}")
