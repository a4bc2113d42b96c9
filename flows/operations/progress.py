"""Progress for people: bars on a terminal, plain lines elsewhere, nothing with --json or where logs are JSON."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from flows.operations import logs

_PLAIN_EVERY = 2.0  # seconds between plain lines of one step


class Reporter:
    """Shows (step, done, total) as work goes on; steps are names of ours, never values."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True)
        self.quiet = quiet = quiet or logs.as_json()
        columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=self.console) if not quiet and self.console.is_terminal else None
        self._tasks: dict[str, TaskID] = {}
        self._shown: dict[str, tuple[float, int]] = {}
        self._begun = time.monotonic()

    def __enter__(self) -> Reporter:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bars:
            self._bars.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Called by the stages: `done` of `total` parts of `step`."""
        if self._bars:
            if step not in self._tasks:
                self._tasks[step] = self._bars.add_task(step, total=total)
            self._bars.update(self._tasks[step], completed=done, total=total)
        elif not self.quiet:
            self._plain(step, done, total)

    def _plain(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        last, shown = self._shown.get(step, (0.0, -1))
        if done == shown or (done < total and now - last < _PLAIN_EVERY):
            return
        self._shown[step] = (now, done)
        print(f"[{now - self._begun:6.1f} s] {step}: {done} of {total}", file=sys.stderr, flush=True)
