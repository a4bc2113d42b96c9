"""What becomes of a hostile submission: run as a night would run it, and judged by its entry, its code and its end."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from expectations.base.errors import BadInput, SluicegateError
from flows.batch.advance import advance
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.batch.unreadable import name_of
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.schedule.run import EXIT_CODES

BAD_INPUT, REFUSED = BadInput.exit_code, EXIT_CODES[State.REFUSED]


@dataclass(frozen=True)
class Judged:
    """`end`: the exit code, `code`: what was wrong; `entry`: the ledger's state of it; `aside`: not in the inbox."""

    kind: str
    end: int
    code: str
    entry: str
    aside: bool

    @property
    def right(self) -> bool:
        """Bad input or refused, with entry and code; or, spoiled where it does not matter, a batch like any other."""
        if self.end == BAD_INPUT:
            return self.entry == State.UNREADABLE and bool(self.code) and self.aside
        if self.end == REFUSED:
            return self.entry == State.REFUSED and bool(self.code)
        if self.entry == State.RECEIVED:
            return self.end == EXIT_CODES[State.RECEIVED] and not self.code
        return self.entry == State.PUBLISHED or (self.entry == State.HELD and bool(self.code))


def judge(home: Home, ledger: Ledger, kind: str, folder: Path, *, run: bool = True) -> Judged:
    """Runs it as `sluicegate run` does, without Prefect. Without `run`, what is received and can be read is left."""
    unread = name_of(folder)
    try:
        name = receive(home, ledger, ledger.clock, folder)
        if run or ledger.known_batch(name).state is State.UNREADABLE:  # sent before: a run says again what is wrong
            advance(BatchSteps(home, ledger, name))
        record = ledger.known_batch(name)
        return Judged(kind, EXIT_CODES[record.state], " ".join(record.codes), record.state.value, True)
    except SluicegateError as error:
        entry = next((b for n in (unread, locals().get("name")) if n and (b := ledger.batch(n))), None)
        aside = not os.path.lexists(folder) or "name" in locals()
        return Judged(kind, error.exit_code, error.code, entry.state.value if entry else "", aside)
    except Exception as error:
        return Judged(kind, 1, f"{type(error).__name__} at {_place(error)}", "", False)


def _place(error: Exception) -> str:
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"
