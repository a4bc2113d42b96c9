"""Submissions that cannot be read, however hostile: each is one accounting entry of its own, and is put aside.

What is in the inbox is written by others. Nothing here follows a link, waits for a pipe, or trusts a name.
"""

import os
import re
from itertools import count
from pathlib import Path

from expectations import codes
from expectations.base.clock import Clock
from expectations.base.digests import name_of_bytes
from expectations.base.errors import BadInput
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from pipelines.ingest import submission

ASIDE = ".unreadable"  # in the inbox: the same file system, and never looked into again
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,79}")


def name_of(source: Path) -> str:
    """What an unreadable submission is called in the ledger: by its letter, or by its shape where none can be read."""
    return f"u-{_known(source)[:12]}"


def _known(source: Path) -> str:
    return name_of_bytes(submission.letter_bytes(source) or submission.shape(source))


def shown_name(folder: Path) -> str:
    """A folder's name as it may be shown: another's may hold values, or what upsets a terminal."""
    return folder.name if _PLAIN.fullmatch(folder.name) else f"folder-{name_of_bytes(os.fsencode(folder.name))[:12]}"


def record(ledger: Ledger, clock: Clock, source: Path, error: BadInput, by: str | None = None) -> None:
    """Enters it in the ledger, once; `by`: the operator who took it in by hand."""
    known, now, name = _known(source), clock.now(), name_of(source)
    ledger.receive(
        name,
        submission=name_of_bytes(f"unreadable|{known}".encode()),
        requester="unknown",
        agreement="unknown",
        received_at=now,
        decided_on=now.date(),
        instruments={},
        register="none",
        rows=0,
        by=by,
    )
    entry = ledger.batch(name)
    if entry is not None and entry.state is State.RECEIVED:  # a crash may have come in between
        ledger.advance(name, State.UNREADABLE, facts={"codes": [known_code(error)]})


def known_code(error: BadInput) -> str:
    """The error's code, if it is one of those that the ledger takes."""
    return error.code if error.code in codes.CODES else "SUBMISSION_UNREADABLE"


def code_of(ledger: Ledger, batch: str) -> str:
    """Why a submission could not be read, by the event that says so."""
    said = (code for event in reversed(ledger.events(batch)) for code in event["facts"].get("codes", ()))
    return str(next(said, "SUBMISSION_UNREADABLE"))


def read_before(ledger: Ledger, batch: str) -> BadInput:
    """What is wrong with a submission that was sent before, could not be read then, and has not changed."""
    code = codes.code(code_of(ledger, batch))
    return BadInput(code.name, f"{code.message} It was sent before, and is the same.", where=batch, remedy=code.fix)


def in_inbox(home: Home, source: Path) -> bool:
    """Whether this lies in the home's inbox, and not somewhere where a person keeps it."""
    return source.absolute().parent.resolve() == home.inbox


def put_aside(home: Home, source: Path) -> None:
    """Moves a submission that lies in the inbox to `.unreadable` there, so that no night tries it again."""
    if not in_inbox(home, source):
        return
    aside, name = home.inbox / ASIDE, name_of(source)
    try:
        aside.mkdir(exist_ok=True, mode=0o700)
        number = next(n for n in count(1) if not os.path.lexists(aside / f"{name}-{n}"))
        source.rename(aside / f"{name}-{number}")
    except OSError:  # the inbox may be another's; the ledger's entry keeps it from being tried again
        return
