"""What somebody sees who does not get the page: plain words, and nothing of what is inside."""

import errno
import logging
import secrets
from collections.abc import Mapping

from starlette.responses import HTMLResponse, Response

from expectations.base.errors import SluicegateError
from flows.console import pages
from flows.console.links import ServedLinks
from flows.console.web.watch import Sight
from flows.ledger.database.engine import FULL
from flows.ledger.timing import WRONG_CLOCK
from flows.operations import logs

# A status, its heading, and what to do.
_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("This request cannot be read", "Go back, load the page again and try once more."),
    403: ("This is not allowed", "Your roles do not include it, or the form was too old: load its page again."),
    404: ("There is no such page", "What waits, and every batch, is linked from the first page."),
    405: ("There is no such page", "What waits, and every batch, is linked from the first page."),
    409: (
        "This console has not the key for it",
        "It was given only the keys that it needs every day. Do it by command, where the others are. Nothing was done.",
    ),
    410: ("This invitation is over", "It was used, is older than an hour, or is none of ours. Ask for another."),
    408: ("This took too long", "A file is sent within a minute. Try once more."),
    413: (
        "This is too much",
        "A form holds 64 KiB at most, an instrument as well; a confirmation, and a file of a recall, 8 MiB.",
    ),
    429: ("That was too often", "Wait a moment, then try again."),
    500: ("Something is wrong here", "Nothing was changed. Tell whoever keeps this console the number below."),
    503: ("The ledger is busy", "A batch may be on its way out. Try again in a minute."),
}


_CLOCK = (
    "This machine's clock is wrong",
    "It is behind the newest event of the ledger, or far ahead of it: nothing is judged by it, and nothing was changed."
    " Set it right. If it is right, two operators sign which day it is: sluicegate clock show.",
)


_FULL = (
    "A disk is full",
    "What you asked for was not done: it could not be written. Make room on the disk of the home, and on that of the"
    " ledger's database, then try again. What is there can still be read.",
)


class Problem(Exception):
    """A page that somebody does not get, and why, as a status. `headers`: more for the answer; `sight`: what the log
    counts it as; `operator`: who is signed in."""

    def __init__(
        self, status: int, headers: Mapping[str, str] | None = None, sight: Sight | None = None, operator: str = ""
    ) -> None:
        super().__init__(status)
        self.status, self.headers, self.sight, self.operator = status, dict(headers or {}), sight, operator


def page(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The page of a problem; of a status without words of its own, those of one that has."""
    return _page(status, *_WORDS.get(status, _WORDS[400 if status < 500 else 500]), headers=headers)


def fault(error: BaseException) -> Response:
    """The page of a fault: a number, under which the log has its type and no word of it. Of a wrong clock and a full
    disk the page says what to do: whoever is here may be who sees to it."""
    number, kind = secrets.token_hex(4), type(error).__name__
    code = error.code if isinstance(error, SluicegateError) else kind
    logs.tell("console.fault", f"console: fault {number}: {code}", logging.ERROR, number=number, error=code)
    is_full = code == FULL or (isinstance(error, OSError) and error.errno == errno.ENOSPC)
    status, words = (503, _CLOCK) if code in WRONG_CLOCK else (503, _FULL) if is_full else (500, _WORDS[500])
    return _page(status, *words, number=number)


def _page(
    status: int, heading: str, remedy: str, headers: Mapping[str, str] | None = None, number: str = ""
) -> Response:
    given = {"links": ServedLinks(), "visitor": None, "heading": heading, "remedy": remedy, "number": number}
    return HTMLResponse(pages.page("problem.html", **given), status, headers)
