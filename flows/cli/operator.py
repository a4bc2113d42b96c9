"""`sluicegate operator`: whose signatures count, and for what. Two come with the home; each later change takes two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base import signatures
from expectations.base.errors import Usage
from expectations.base.total import total
from flows.cli.command import SIGNATURE, Json, Key, Signatures, at_home, file_text, group, one_of, show, signatures_in
from flows.ledger import Ledger
from flows.ledger.operators import OperatorRecord
from flows.ledger.roles import Role
from flows.operations.printing import print_table
from flows.registry import endorsements


class Change(StrEnum):
    """What two operators sign."""

    ENROL = "enrol"
    REVOKE = "revoke"
    ADD_KEY = "add-key"
    REMOVE_KEY = "remove-key"
    ROLES = "roles"


@dataclass(frozen=True)
class _Asked:
    """What the command line says: the operator's id, the text of a key's file (None: no file), roles."""

    name: str
    file: Path | None
    roles: list[Role]

    @property
    def key(self) -> str:
        if self.file is None:
            raise Usage("NO_KEY", "this change is about a public key", remedy="Name its file after the operator's id.")
        return file_text(self.file)


# What is signed for each change.
_MESSAGES: Mapping[Change, Callable[[Ledger, _Asked], bytes]] = total(
    Change,
    {
        Change.ENROL: lambda ledger, asked: ledger.operator_message(asked.name, asked.key, asked.roles),
        Change.REVOKE: lambda ledger, asked: ledger.operator_message(asked.name),
        Change.ADD_KEY: lambda ledger, asked: ledger.key_message(asked.name, asked.key, True),
        Change.REMOVE_KEY: lambda ledger, asked: ledger.key_message(asked.name, asked.key, False),
        Change.ROLES: lambda ledger, asked: ledger.roles_message(asked.name, asked.roles),
    },
)
app = group(name="operator", help="Operators, whose signatures count, with their keys and roles.")
Name = Annotated[str, Argument(help="The operator's id.")]
PublicKey = Annotated[Path, Argument(help="The operator's public key (ssh-ed25519 …, or webauthn …).")]
AboutKey = Annotated[Path | None, Argument(help="The public key, where the change is about one.")]
What = Annotated[
    Change | None,
    Option("--change", help=f"{one_of(Change)} If left out: enrol with a public key, revoke without one."),
]
Roles = Annotated[list[Role] | None, Option("--role", help="One of the operator's roles; give each.")]


@app.command("list")
def list_(json: Json = False) -> int:
    """All operators, revoked ones too, with their keys and roles."""
    with at_home() as (_, ledger):
        known = ledger.operators()
    return show([_record(one) for one in known], json, lambda _: _print(known))


def _record(one: OperatorRecord) -> dict[str, Any]:
    keys = [{"key": k.fingerprint, "added": _day(k.added_at), "removed": _day(k.removed_at)} for k in one.keys]
    dates = {"enrolled": _day(one.enrolled_at), "revoked": _day(one.revoked_at)}
    return {"operator": one.name, "roles": list(one.roles), "keys": keys, **dates}


def _print(known: list[OperatorRecord]) -> None:
    rows = [
        [one.name, ", ".join(one.roles), k.fingerprint[:16], _day(k.added_at), _day(k.removed_at or one.revoked_at)]
        for one in known
        for k in one.keys
    ]
    print_table("Operators", ["operator", "roles", "key", "since", "until"], rows)


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else ""


@app.command()
def message(name: Name, public_key: AboutKey = None, change: What = None, role: Roles = None) -> None:
    """Print what two operators sign for a change of NAME: of who it is, its keys, or its roles.

    ssh-keygen signs it too: ssh-keygen -Y sign -n sluicegate-operator.
    """
    with at_home() as (_, ledger):
        print(_message(ledger, _Asked(name, public_key, role or []), change).decode(), end="")


@app.command()
def sign(name: Name, key: Key, public_key: AboutKey = None, change: What = None, role: Roles = None) -> None:
    """Sign a change of NAME: that it is enrolled for these roles, revoked, has one key more or less, or other roles.

    Writes NAME.OPERATOR.sig into this folder.
    """
    with at_home() as (_, ledger):
        said = _message(ledger, _Asked(name, public_key, role or []), change)
        signed = endorsements.sign(ledger, said, signatures.load(key), signatures.OPERATOR)
    print(f"Signed by {signed.operator}: {signed.write(Path(name))}")


def _message(ledger: Ledger, asked: _Asked, change: Change | None) -> bytes:
    return _MESSAGES[change or (Change.ENROL if asked.file else Change.REVOKE)](ledger, asked)


@app.command()
def enrol(
    name: Name,
    public_key: PublicKey,
    signature: Annotated[list[Path] | None, SIGNATURE] = None,
    role: Roles = None,
) -> None:
    """Enrol an operator for these roles. The first two of a home have all of them.

    After the first two, two approvers sign it first: sluicegate operator sign NAME PUBLIC_KEY --role ROLE --key KEY.
    """
    with at_home() as (_, ledger):
        ledger.enrol_operator(name, file_text(public_key), signatures_in(signature or []), role)
    print(f"Enrolled operator {name}")


@app.command()
def revoke(name: Name, signature: Signatures) -> None:
    """Revoke an operator, by two others' signatures.

    They sign it first: sluicegate operator sign NAME --key KEY. Until then, sluicegate halt stops all releases.
    """
    with at_home() as (_, ledger):
        ledger.revoke_operator(name, signatures_in(signature))
    print(f"Revoked operator {name}")


@app.command("add-key")
def add_key(name: Name, public_key: PublicKey, signature: Signatures) -> None:
    """Give an operator one more key. It is still one person, who signs once.

    Two approvers sign it first: sluicegate operator sign NAME PUBLIC_KEY --change add-key --key KEY.
    """
    with at_home() as (_, ledger):
        ledger.add_key(name, file_text(public_key), signatures_in(signature))
    print(f"{name} has one key more")


@app.command("remove-key")
def remove_key(name: Name, public_key: PublicKey, signature: Signatures) -> None:
    """Take a key away from an operator who has another, such as one that was lost.

    Two approvers sign it first: sluicegate operator sign NAME PUBLIC_KEY --change remove-key --key KEY.
    """
    with at_home() as (_, ledger):
        ledger.remove_key(name, file_text(public_key), signatures_in(signature))
    print(f"{name} has one key less")


@app.command()
def roles(name: Name, signature: Signatures, role: Roles = None) -> None:
    """Give an operator these roles, and no others, by two others' signatures.

    They sign it first: sluicegate operator sign NAME --change roles --role ROLE --key KEY.
    """
    with at_home() as (_, ledger):
        ledger.give_roles(name, role or [], signatures_in(signature))
    print(f"{name} is now: {', '.join(sorted(role or []))}")
