"""Checkpoint results as they were kept, of batches in flight and long ended."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expectations.gx.verdict import Result, Status, Verdict
from flows.batch import letter
from flows.batch.figures import Figure, Measure
from flows.batch.spreads import Counted, Spread
from flows.home.tree import Home
from flows.ledger.lifecycles.states import Checkpoint
from flows.reports.held import sentence


@dataclass(frozen=True)
class Kept:
    """What a checkpoint of a batch found, with the shares that it measured beside their limits. `spreads`: how its rows
    are spread, None of an older version; `letter`: what the letter says, kept at `intake`; `stored`: all, as JSON."""

    batch: str
    checkpoint: Checkpoint
    verdict: Verdict
    figures: tuple[Figure, ...]
    spreads: tuple[Counted, ...] | None
    letter: letter.Said | None
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

    def result(self, check: str) -> Result | None:
        """How this check came out, if it is one of them."""
        return next((one for one in self.verdict.results if one.check == check), None)

    def figure(self, check: str) -> Figure | None:
        """The share that this check judges, where it judges one."""
        return next((one for one in self.figures if one.measure == check), None)


def one(home: Home, batch: str, which: Checkpoint) -> Kept | None:
    """What is kept of one checkpoint; None if nothing is, or it cannot be read."""
    return at(home.verdicts, batch, which)


def path(home: Home, batch: str, which: Checkpoint) -> Path:
    """Where it is kept."""
    return home.verdicts / batch / f"{which}.json"


def read(home: Home, batch: str) -> list[Kept]:
    """What is kept of a batch and can be read, in the order of the checkpoints."""
    return [one for one in reached(home, batch).values() if one]


def reached(home: Home, batch: str) -> dict[Checkpoint, Kept | None]:
    """The checkpoints of which something is kept, in their order; None: it cannot be read, which hides no other."""
    there = (which for which in Checkpoint if path(home, batch, which).exists())
    return {which: at(home.verdicts, batch, which) for which in there}


def at(verdicts: Path, batch: str, which: Checkpoint) -> Kept | None:
    """What is kept of one in the folder `verdicts`; None as of `one`."""
    try:
        return _kept(batch, which, json.loads((verdicts / batch / f"{which}.json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _kept(batch: str, which: Checkpoint, stored: dict[str, Any]) -> Kept:
    counts = {name: stored[name] for name in ("suite", "declared", "evaluated", "rows")}
    results = tuple(Result(**one) for one in stored["results"])
    figures = tuple(Figure.of(one) for one in stored.get("figures", ()) if one["measure"] in set(Measure))
    verdict = Verdict(**counts, status=Status(stored["status"]), results=results)
    return Kept(batch, which, verdict, figures, _spreads(stored), _letter(stored), stored)


def _spreads(stored: dict[str, Any]) -> tuple[Counted, ...] | None:
    """None where they cannot be read as well: they are shown, and hide no verdict."""
    try:
        known = (one for one in stored["spreads"] if one["spread"] in set(Spread))
        return tuple(map(Counted.of, known))
    except (ValueError, KeyError, TypeError):
        return None


def _letter(stored: dict[str, Any]) -> letter.Said | None:
    """The same of the letter."""
    try:
        return letter.of(stored.get("letter"))
    except ValueError:
        return None
