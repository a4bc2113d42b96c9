"""How a command of `sluicegate` is written: options that several share, what it opens, how its result is shown.

A command is a plain function: it reads its arguments, calls one function of the domain, and shows what that returned.
Its return value is the exit code; none means 0. It takes `Json` where its result is data, and ends in `return show(…)`.
`flows.cli.main.COMMANDS` lists it.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from expectations.base.clock import Clock
from expectations.base.errors import DONE, BadInput
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.operations.printing import print_json

T = TypeVar("T")


def day(text: str) -> date:
    """A day as people write it on the command line; raises ValueError, which Typer shows as wrong usage."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError("write the day as YYYY-MM-DD.") from None


def one_of(closed: type[StrEnum]) -> str:
    """The members of a closed list, for a help text."""
    return f"One of: {', '.join(closed)}."


DAY = "YYYY-MM-DD"
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and no progress.")]
Key = Annotated[Path, typer.Option(help="Your private key as an operator (Ed25519, OpenSSH form).")]
SIGNATURE = typer.Option(metavar="FILE", help="A file with an operator's signature; give two.")
Signatures = Annotated[list[Path], SIGNATURE]
Batch = Annotated[str, typer.Argument(help="The batch's name, as status shows it.")]
OneOrAll = Annotated[str | None, typer.Argument(help="One batch; if left out, all.")]
Who = Annotated[
    str,
    typer.Option(
        callback=lambda who: who or getpass.getuser(),
        show_default=False,
        help="Who looks, for the audit log; your login name if left out.",
    ),
]


@dataclass(frozen=True)
class Here:
    """What most commands work with: the home, its ledger, and the clock that the ledger goes by."""

    home: Home
    clock: Clock
    ledger: Ledger


@contextmanager
def at_home(as_of: date | None = None) -> Iterator[Here]:
    """Opens the home and its ledger for one command; `as_of` is another day, in sandboxes only. Raises Usage."""
    home = open_home()
    clock = home.clock(as_of)
    with Ledger.open(home.ledger_url, clock) as ledger:
        yield Here(home, clock, ledger)


def show(result: T, as_json: bool, people: Callable[[T], None], exit_code: int = DONE) -> int:
    """Prints `result` as one JSON document, or in the words of `people`; gives the command's exit code."""
    if as_json:
        print_json(result)
    else:
        people(result)
    return exit_code


def file_bytes(path: Path) -> bytes:
    """The bytes of a file that was named on the command line; raises BadInput if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        raise BadInput("FILE_UNREADABLE", "the file cannot be read", where=path.name, remedy="Give its path.") from None


def file_text(path: Path) -> str:
    """The same as text; what is not UTF-8 is replaced, so that no signature or key in it counts."""
    return file_bytes(path).decode("utf-8", errors="replace")


def signatures_in(files: Iterable[Path]) -> dict[str, str]:
    """The signatures in these files, by file."""
    return {str(path): file_text(path) for path in files}
