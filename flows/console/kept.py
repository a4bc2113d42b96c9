"""Checkpoint results as they were kept, of batches in flight and long ended."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expectations.gx.verdict import Result, Status, Verdict
from flows.batch.figures import Figure, Measure
from flows.home.tree import Home
from flows.ledger.lifecycles.states import Checkpoint
from flows.reports.held import sentence


@dataclass(frozen=True)
class Kept:
    """What a checkpoint of a batch found, with the shares that it measured beside their limits. `stored`: all of it, as
    JSON has it."""

    batch: str
    checkpoint: Checkpoint
    verdict: Verdict
    figures: tuple[Figure, ...]
    stored: dict[str, Any] = field(repr=False)

    @property
    def sentence(self) -> str:
        """Why the batch goes no further, or that it does."""
        return sentence(self.verdict, self.figures)

    @property
    def failed(self) -> tuple[Result, ...]:
        return self.verdict.failed

    @property
    def informing(self) -> tuple[Result, ...]:
        """Shares that are shown and decide nothing, of which there are rows."""
        return tuple(r for r in self.verdict.results if r.informs and r.failed)

    @property
    def passed(self) -> tuple[Result, ...]:
        return tuple(r for r in self.verdict.results if r.ok)

    def figure(self, check: str) -> Figure | None:
        """The share that this check judges, where it judges one."""
        return next((one for one in self.figures if one.measure == check), None)


def read(home: Home, batch: str) -> list[Kept]:
    """What is kept of a batch and can be read, in the order of the checkpoints."""
    return [one for one in reached(home, batch).values() if one]


def reached(home: Home, batch: str) -> dict[Checkpoint, Kept | None]:
    """The checkpoints of which something is kept, in their order; None: it cannot be read, which hides no other."""
    paths = {which: home.verdicts / batch / f"{which}.json" for which in Checkpoint}
    return {which: _read(batch, which, path) for which, path in paths.items() if path.exists()}


def _read(batch: str, which: Checkpoint, path: Path) -> Kept | None:
    try:
        return _kept(batch, which, json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _kept(batch: str, which: Checkpoint, stored: dict[str, Any]) -> Kept:
    counts = {name: stored[name] for name in ("suite", "declared", "evaluated", "rows")}
    results = tuple(Result(**one) for one in stored["results"])
    figures = tuple(Figure.of(one) for one in stored.get("figures", ()) if one["measure"] in set(Measure))
    verdict = Verdict(**counts, status=Status(stored["status"]), results=results)
    return Kept(batch, which, verdict, figures, stored)
