"""`sluicegate status --watch`: what waits and what is under way, drawn anew every few seconds in 80 columns; where
nobody looks on, a line at each change."""

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count, islice
from types import FrameType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from expectations.base.errors import DONE, SluicegateError
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import FINAL, OPEN
from flows.schedule.running import running
from flows.schedule.things import Kind, Waits
from flows.schedule.waiting import looked

WIDTH, MOST = 80, 12  # columns; batches that are shown
EVERY = 2.0  # seconds
_TICK = 0.2  # seconds; Ctrl-C is heard after so long


class Look:
    """Everything at one moment."""

    def __init__(self, home: Home) -> None:
        self.now, self.waits = looked(home)
        with Ledger.open(home.ledger_url, home.clock()) as ledger:
            self.open, self.states = ledger.batches(*OPEN), ledger.states()
        self.parts = {one.name: one.lives for one in running(home)}

    @property
    def line(self) -> str:
        """All of it in one line, without the time: the same as long as nothing changes."""
        waits = Counter(one.kind for one in self.waits)
        said = [f"{waits[kind]} {kind}" for kind in Kind if waits[kind]] or ["nothing waits"]
        kinds = {kind.value for kind in Kind}
        said += [f"{n} {state}" for state, n in sorted(self.states.items()) if n and state.value not in kinds]
        said += [f"{name} has stopped" for name, lives in self.parts.items() if not lives]
        return "; ".join(said)

    def drawn(self) -> Group:
        """For a terminal."""
        head = Text(f"Sluicegate, {self.now:%Y-%m-%d %H:%M:%S} UTC; Ctrl-C ends this", style="bold")
        return Group(head, Text(), self._waits(), Text(), self._batches(), Text(), Text(self._service()))

    def _waits(self) -> Table | Text:
        if not self.waits:
            return Text("Nothing waits for anybody.")
        table = _table("what waits", "how many", "oldest", "due in")
        for kind in Kind:
            of_kind = [one for one in self.waits if one.kind is kind]
            if of_kind:
                table.add_row(kind.value, str(len(of_kind)), self._oldest(of_kind), self._due(of_kind))
        return table

    def _oldest(self, found: list[Waits]) -> str:
        return lasted(max((self.now - one.since for one in found if one.since), default=None))

    def _due(self, found: list[Waits]) -> str:
        left = min((one.until - self.now for one in found if one.until), default=None)
        return f"passed {lasted(-left)} ago" if left is not None and left < timedelta() else lasted(left)

    def _batches(self) -> Table | Text:
        ended = {state: n for state, n in self.states.items() if n and state in FINAL}
        table = _table("batch", "state", "rows", "since receipt")
        for one in self.open[:MOST]:
            table.add_row(*self._row(one))
        more = f"and {len(self.open) - MOST} more; " if len(self.open) > MOST else ""
        counts = ", ".join(f"{n} {state}" for state, n in sorted(ended.items())) or "none"
        table.caption = f"{more}ended: {counts}"
        table.caption_justify = "left"
        return table

    def _row(self, one: BatchRecord) -> tuple[str, str, str, str]:
        return one.name, one.state.value, f"{one.rows:,}", lasted(self.now - one.received_at)

    def _service(self) -> str:
        if not self.parts:
            return ""
        return "Service: " + ", ".join(
            f"{name} {'runs' if lives else 'has stopped'}" for name, lives in self.parts.items()
        )


def lasted(span: timedelta | None) -> str:
    """How long something has lasted, in its largest two units."""
    if span is None:
        return ""
    minutes = max(0, int(span.total_seconds())) // 60
    days, hours = minutes // 1440, minutes // 60
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _table(*columns: str) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="bold", width=WIDTH)
    for column in columns:
        table.add_column(column, justify="right" if column in ("how many", "rows") else "left", overflow="fold")
    return table


def watch(home: Home, every: float = EVERY, times: int | None = None) -> int:
    """Shows it until Ctrl-C, or so many times; gives the exit code. A look that fails is said; the next one follows."""
    ending = _Ending()
    # a handler of ours: raised in the middle of a library's call, KeyboardInterrupt may be lost there
    before = signal.signal(signal.SIGINT, ending)
    try:
        looks = ending.looks(every, times)
        _draw(home, looks) if sys.stdout.isatty() else _lines(home, looks)
    finally:
        signal.signal(signal.SIGINT, before)
    return DONE


class _Ending:
    """Whether somebody has pressed Ctrl-C."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True

    def looks(self, every: float, times: int | None) -> Iterator[int]:
        """Yields each time that one looks again, `every` so many seconds, until then; or so many times."""
        for n in islice(count(), times):
            yield n
            until = time.monotonic() + every
            while not self.asked and (left := until - time.monotonic()) > 0:
                time.sleep(min(left, _TICK))
            if self.asked:
                return


def _draw(home: Home, looks: Iterator[int]) -> None:
    with Live(console=Console(width=WIDTH), auto_refresh=False) as shown:
        for _ in looks:
            look = _look(home)
            shown.update(look.drawn() if isinstance(look, Look) else Text(look), refresh=True)


def _lines(home: Home, looks: Iterator[int]) -> None:
    before = None
    for _ in looks:
        look = _look(home)
        line = look.line if isinstance(look, Look) else look
        if line != before:
            before = line
            print(f"{home.clock().now().isoformat(timespec='seconds')} {line}", flush=True)


def _look(home: Home) -> Look | str:
    try:
        return Look(home)
    except SluicegateError as error:
        return f"cannot be read now: {error}"
