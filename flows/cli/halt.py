"""`sluicegate halt` and `sluicegate resume`: stop all releases at once, and let them go on by two keys."""

from __future__ import annotations

from typing import Annotated

import typer

from expectations.base import signatures
from flows.cli.command import Key, at_home, one_of
from flows.ledger.decisions import Reason

Why = Annotated[Reason, typer.Option(metavar="REASON", help=one_of(Reason))]


def halt(
    operator: Annotated[str, typer.Argument(help="Who stops them: an operator's id.")],
    reason: Why = Reason.SUSPECTED_FAULT,
) -> None:
    """Stop all releases, at once and unsigned.

    When it returns, no release is under way, and none begins until two operators resume.
    """
    with at_home() as here:
        number = here.ledger.halt(operator, reason)
    print(f"Releases are halted. Two operators lift it: sluicegate resume {number} --key KEY")


def resume(
    number: Annotated[int, typer.Argument(help="The number that halt printed.")],
    key: Key,
    reason: Why = Reason.CAUSE_MENDED,
) -> None:
    """Sign that releases go on after a halt; it takes two operators."""
    from flows.batch.decisions import resume as sign

    private = signatures.load(key)
    with at_home() as here:
        lifted = sign(here.ledger, number, private, reason)
    print("The halt is lifted." if lifted else "Signed. A second, different operator must sign.")
