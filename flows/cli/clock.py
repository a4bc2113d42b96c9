"""`sluicegate clock`: this machine's clock against the ledger's newest event, and two operators who set it right."""

from datetime import UTC, date
from pathlib import Path
from typing import Annotated, Any

from expectations.base import signatures
from expectations.base.errors import DONE, Fault
from flows.cli.command import Json, Key, Signatures, at_home, day_option, group, show, signatures_in
from flows.registry import endorsements

app = group(name="clock", help="The clock that everything is judged by.")
Day = Annotated[date | None, day_option("--day", "The day that it is, in UTC; if left out, by this machine's clock.")]


@app.command("show")
def show_(json: Json = False) -> int:
    """This machine's clock, the newest event's time, and what to do where they do not fit.

    Exit code 1: they do not fit, and no run goes on.
    """
    with at_home() as (_, ledger):
        now = ledger.time_now()
    found = {"machine": now.machine, "newest_event": now.newest, "wrong": now.wrong}
    return show(found, json, _print, Fault.exit_code if now.wrong else DONE)


def _print(found: dict[str, Any]) -> None:
    print(f"This machine's clock: {found['machine']:%Y-%m-%d %H:%M:%S} UTC")
    newest = found["newest_event"]
    print(f"The newest event:     {newest:%Y-%m-%d %H:%M:%S} UTC" if newest else "There is no event yet.")
    if found["wrong"] is None:
        print("They fit.")
        return
    print(_WHY[found["wrong"]])
    print("If this machine's clock is right, two operators sign which day it is, and runs go on:")
    print("  each of them:  sluicegate clock sign --key KEY")
    print("  then:          sluicegate clock set --signature FILE --signature FILE")


_WHY = {
    "CLOCK_BEHIND": "The clock is behind: set it right. Or the newest events were dated by a clock that ran ahead.",
    "CLOCK_AHEAD": "The clock is ahead: set it right. Or nothing has happened here for longer than clock_leap allows.",
}


@app.command()
def sign(key: Key, day: Day = None) -> None:
    """Sign which day it is, whatever the newest event says. Writes clock.OPERATOR.sig into this folder.

    Both operators sign the same day, from a calendar that they trust, not from this machine.
    """
    with at_home() as (_, ledger):
        message = ledger.clock_message(day or ledger.time_now().machine.astimezone(UTC).date())
        signed = endorsements.sign(ledger, message, signatures.load(key), signatures.CLOCK)
    print(f"Signed by {signed.operator}: {signed.write(Path('clock'))}")


@app.command("set")
def set_(signature: Signatures, day: Day = None) -> None:
    """Let time go on from this machine's clock, on the day that two operators signed or in the week after it."""
    with at_home() as (_, ledger):
        number = ledger.set_clock(day or ledger.time_now().machine.astimezone(UTC).date(), signatures_in(signature))
    print(f"Time goes on: event {number}")
