"""`sluicegate halt` and `resume`: all releases, at once."""

from typing import Annotated

from typer import Argument

from expectations.base import signatures
from flows.cli.command import Key, Note, Stated, at_home
from flows.ledger.decisions import Reason

Stopper = Annotated[str, Argument(help="Who stops them: an operator's id.")]
Halt = Annotated[int, Argument(help="The number that halt printed.")]


def halt(operator: Stopper, reason: Stated = Reason.SUSPECTED_FAULT, note: Note = None) -> None:
    """Stop all releases, at once and unsigned.

    When it returns, no release is under way, and none begins until two operators resume.
    """
    from flows.batch.decisions import halt as stop

    with at_home() as (home, ledger):
        number, kept = stop(home, ledger, operator, reason, note)
    if not kept:
        print("Your note could not be kept; releases are halted all the same.")
    print(f"Releases are halted. Two operators lift it: sluicegate resume {number} --key KEY")


def resume(number: Halt, key: Key, reason: Stated = Reason.CAUSE_MENDED, note: Note = None) -> None:
    """Sign that releases go on after a halt; it takes two operators."""
    from flows.batch.decisions import resume as sign
    from flows.evidence import notes

    private = signatures.load(key)
    with at_home() as (home, ledger):
        lifted = sign(ledger, number, private, reason, None if note is None else notes.store(home, note))
    print("The halt is lifted." if lifted else "Signed. A second, different operator must sign.")
