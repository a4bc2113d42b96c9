"""`sluicegate proposals`: changes of operators and instruments that wait until two have signed them."""

from typing import Annotated, Any

from typer import Argument

from expectations.base import signatures
from flows.cli.command import Json, Key, at_home, group, looker, show
from flows.console.proposals import says, title
from flows.ledger.proposals import ProposalRecord
from flows.ledger.proposed import USE, Asked, Proposed
from flows.operations.printing import print_table

app = group(name="proposals", help="Changes of operators and instruments that wait until two have signed them.")
Number = Annotated[int, Argument(help="The proposal's number, as list shows it.")]


@app.command("list")
def list_(json: Json = False) -> int:
    """All that are open. They are made in the console, and signed there or here."""
    with at_home() as (_, ledger):
        found = ledger.proposals()
    return show([_record(one) for one in found], json, lambda _: _print(found))


@app.command("show")
def show_(number: Number, json: Json = False) -> int:
    """What a proposal would change, and what two operators sign for it."""
    with at_home() as (_, ledger):
        one = ledger.proposal(number)
    return show(_record(one), json, lambda _: _explain(one))


@app.command()
def message(number: Number) -> None:
    """Print what two operators sign for a proposal.

    ssh-keygen signs it too, with the namespace sluicegate-operator, or sluicegate-instrument for an instrument.
    """
    with at_home() as (_, ledger):
        print(ledger.proposal_message(number).decode(), end="")


@app.command()
def sign(number: Number, key: Key) -> None:
    """Sign a proposal. With the second signature, by another operator, it is carried out at once."""
    private = signatures.load(key)
    with at_home() as (_, ledger):
        one = ledger.proposal(number)
        signed = signatures.sign(ledger.proposal_message(number), private, USE[one.kind])
        done = ledger.sign_proposal(number, signatures.public_line(private), signed)
    print(f"{title(one)}: " + ("done" if done else "signed; it waits for another operator"))


@app.command()
def withdraw(number: Number, key: Key) -> None:
    """Withdraw a proposal of your own, or take your signature back, until another has signed."""
    who = looker(key)
    with at_home() as (_, ledger):
        ledger.withdraw_proposal(number, who)
    print(f"Taken back: proposal {number}")


def _record(one: ProposalRecord) -> dict[str, Any]:
    return {
        "number": one.number,
        "change": one.kind.value,
        "subject": one.subject,
        "title": title(one),
        "proposed_by": one.operator,
        "proposed_at": one.proposed_at,
        "open_until": one.expires_at,
        "digest": one.digest,
        "obstacle": one.obstacle or None,
        "signed": one.spoken,
    }


def _print(found: list[ProposalRecord]) -> None:
    rows = [
        [
            str(one.number),
            title(one),
            one.operator,
            f"{one.proposed_at:%Y-%m-%d}",
            f"{one.expires_at:%Y-%m-%d}",
            f"{one.spoken} of 2",
        ]
        for one in found
    ]
    print_table("Proposals", ["number", "change", "proposed by", "since", "open until", "signed"], rows)


def _explain(one: ProposalRecord) -> None:
    print(f"{title(one)}, proposed by {one.operator}; {one.spoken} of 2 have signed.")
    for line in says(one):
        print(line)
    if one.kind in (Proposed.ENROL_OPERATOR, Proposed.ROLES):
        print(f"Roles: {', '.join(Asked.of(one.body).roles)}.")
    if one.kind is Proposed.INSTRUMENT:
        print(one.body.decode(errors="replace"), end="")
    if one.obstacle:
        print(f"It cannot be carried out: {one.obstacle}.")
    else:
        print(f"What is signed has the digest {one.digest}: sluicegate proposals sign {one.number} --key KEY")
