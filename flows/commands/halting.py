"""Commands that stop all releases, at once, and let them go on, by two keys."""

from __future__ import annotations

from typing import Annotated

import typer

from expectations import signatures
from expectations.clock import Clock
from flows.commands.signing import Key
from flows.home import open_home
from flows.ledger import Ledger
from flows.ledger.decisions import Reason, resume_message


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (halt, resume):
        app.command()(command)


def halt(
    operator: Annotated[str, typer.Argument(help="Who stops them: an operator's id.")],
    reason: Annotated[Reason, typer.Option(help="Why, from the closed list.")] = Reason.SUSPECTED_FAULT,
) -> int:
    """Stop all releases, at once and unsigned: when it returns, none is under way, and none begins until two operators resume."""
    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        number = ledger.halt(operator, reason)
    print(f"Releases are halted. Two operators lift it: sluicegate resume {number} --key KEY")
    return 0


def resume(
    number: Annotated[int, typer.Argument(help="The number that halt printed.")],
    key: Key,
    reason: Annotated[Reason, typer.Option(help="Why, from the closed list.")] = Reason.CAUSE_MENDED,
) -> int:
    """Sign that releases go on after a halt; it takes two operators."""
    private = signatures.load(key)
    signature = signatures.sign(resume_message(number), private, signatures.DECISION)
    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        lifted = ledger.resume(number, reason, signatures.public_line(private), signature)
    print("The halt is lifted." if lifted else "Signed. A second, different operator must sign.")
    return 0
