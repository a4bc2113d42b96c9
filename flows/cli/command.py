"""How a command of `sluicegate` is written: options that several share, what it opens, how its result is shown.

A command is a plain function: it reads its arguments, calls one function of the domain, and shows what that returned.
Its return value is the exit code; none means 0. It takes `Json` where its result is data, and ends in `return show(…)`.
`flows.cli.main.COMMANDS` lists it.
"""

import getpass
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from typer import Argument, Option, Typer

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import DONE, BadInput, Usage
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.decisions import MEANINGS, Reason
from flows.ledger.looks import LOOK_REASONS, LookReason
from flows.operations.printing import print_json

T = TypeVar("T")


def _day(text: str) -> date:
    """A day as people write it on the command line; raises ValueError, which Typer shows as wrong usage."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError("write the day as YYYY-MM-DD.") from None


def day_option(name: str, help: str) -> Any:
    """An option that takes a day."""
    return Option(name, parser=_day, metavar="YYYY-MM-DD", help=help)


def one_of(closed: type[StrEnum]) -> str:
    """The members of a closed list, for a help text."""
    return f"One of: {', '.join(closed)}."


group = partial(Typer, no_args_is_help=True)  # a command that has commands of its own
_RUNS = "Who decides it again, for the audit log; your login name if left out."
KEY = Option(help="Your private key as an operator (Ed25519, OpenSSH form).")
_LOOK = f"Why you look: {'; '.join(f'{word}: {said}' for word, said in LOOK_REASONS.items())}."
LOOK = Option("--reason", metavar="REASON", help=_LOOK)
WHY = Option(metavar="REASON", help=f"Why: {'; '.join(f'{word}: {said}' for word, said in MEANINGS.items())}.")
SIGNATURE = Option(metavar="FILE", help="A file with an operator's signature; give two.")

Json = Annotated[bool, Option("--json", help="One JSON document on stdout, and no progress.")]
Key = Annotated[Path, KEY]
Looking = Annotated[LookReason, LOOK]
Reference = Annotated[str | None, Option(metavar="NUMBER", help="The number of its case, such as DSR-2026-17.")]
Stated = Annotated[Reason, WHY]
Note = Annotated[
    str | None, Option(help="More about the reason, in your words, kept sealed. No names, and no values of a row.")
]
Signatures = Annotated[list[Path], SIGNATURE]
Batch = Annotated[str, Argument(help="The batch's name, as status shows it.")]
OneOrAll = Annotated[str | None, Argument(help="One batch; if left out, all.")]
Who = Annotated[str, Option(callback=lambda who: who or getpass.getuser(), show_default=False, help=_RUNS)]


def looker(key: Path | None) -> str:
    """The operator who is about to look at values, by its private key; raises Usage if there is none, BadInput if it is
    nobody's."""
    if key is None:
        raise Usage("WHO_LOOKS", "values are shown to an operator, whom the audit log names", remedy="Add --key KEY.")
    with at_home() as (_, ledger):
        return ledger.operator_of(signatures.public_line(signatures.load(key)))


@contextmanager
def at_home(as_of: date | None = None) -> Iterator[tuple[Home, Ledger]]:
    """Opens the home and its ledger for one command; `as_of` is another day, in sandboxes only. Raises Usage."""
    home = open_home()
    with Ledger.open(home.ledger_url, home.clock(as_of)) as ledger:
        yield home, ledger


def here() -> tuple[Home, Clock]:
    """The home and its clock, for what opens the ledger itself."""
    home = open_home()
    return home, home.clock()


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
