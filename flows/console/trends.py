"""A checkpoint over the batches of one requester: each check that failed, as a picture and in a table."""

from dataclasses import dataclass
from typing import assert_never

from flows.batch.figures import Figure, Measure
from flows.batch.spreads import JUDGED
from flows.console import kept
from flows.console.kept import Kept
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import Checkpoint

_EARLIER = 12  # batches of the same requester, this one among them
_CHECKS = 4  # that failed, of which a picture is shown
_COMPLETE = "quality.complete"  # the share of rows without a complete address
# What is shown where nothing failed.
_TENDS = {Checkpoint.INTAKE: "incomplete addresses", Checkpoint.MATCHING: "matched"}


@dataclass(frozen=True)
class Line:
    """A batch: how the checkpoint came out, and each figure of `Trend.of`; None: not kept, or not judged."""

    record: BatchRecord
    status: str
    figures: tuple[float | None, ...]


@dataclass(frozen=True)
class Trend:
    """`of`: the checks, or what is measured; `limits`: theirs in this batch, where one was not met; `lines`: the
    batches, the newest first."""

    of: tuple[str, ...]
    limits: tuple[float | None, ...]
    lines: tuple[Line, ...]

    def drawn(self, place: int) -> list[float | None]:
        """One figure, the oldest first."""
        return [line.figures[place] for line in reversed(self.lines)]


def over(home: Home, ledger: Ledger, record: BatchRecord, found: Kept) -> Trend | None:
    """The same checkpoint for this batch and those of its requester before; None if there is only this one, or nothing
    to show."""
    checks = tuple(dict.fromkeys(one.check for one in found.failed))[:_CHECKS]
    tends = _TENDS.get(found.checkpoint)
    if not checks and tends is None:
        return None
    there = [(one, kept.one(home, one.name, found.checkpoint)) for one in ledger.newest_batches(_EARLIER, record)]
    lines = tuple(
        Line(one, same.verdict.status, tuple(_share(same, check) for check in checks) or (_tends(ledger, same),))
        for one, same in there
        if same is not None
    )
    limits = tuple(_limit(found.figure(check)) for check in checks) or (None,)
    return Trend(checks or (tends or "",), limits, lines) if len(lines) > 1 else None


def _share(found: Kept, check: str) -> float | None:
    """What a check measured: the figure that it judges, also where that was met; else the share of rows that failed."""
    if figure := found.figure(check):
        return figure.share
    for one in found.spreads or ():
        for bound in one.bounds:
            if JUDGED[bound.limit].check == check:
                return bound.measured
    if check == Measure.INCOMPLETE:  # an older version kept no spreads
        return _share(found, _COMPLETE)
    result = found.result(check)
    if result is None or result.failed is None or not result.rows or check in set(Measure):
        return None
    return result.failed / result.rows


def _limit(figure: Figure | None) -> float | None:
    """The limit that was not met."""
    if figure is None:
        return None
    return figure.low if figure.low is not None and figure.share < figure.low else figure.high


def _tends(ledger: Ledger, found: Kept) -> float | None:
    """The one share that shows best how a checkpoint tends; None at those that judge each row by itself."""
    match found.checkpoint:
        case Checkpoint.INTAKE:
            return _share(found, _COMPLETE)
        case Checkpoint.MATCHING:
            share = _share(found, Measure.MATCHED)
            return _matched(ledger, found.batch) if share is None else share
        case Checkpoint.ELIGIBILITY | Checkpoint.DISCLOSURE:
            return None
        case _:
            assert_never(found.checkpoint)


def _matched(ledger: Ledger, batch: str) -> float | None:
    facts = [event["facts"] for event in ledger.events(batch) if "looked_up" in event["facts"]]
    return facts[-1]["matched"] / max(facts[-1]["looked_up"], 1) if facts else None
