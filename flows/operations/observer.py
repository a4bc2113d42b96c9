"""What an observer of a run is told."""

from dataclasses import dataclass

from expectations.gx.verdict import Verdict
from flows.batch.plan import Step
from flows.batch.steps import BatchSteps
from flows.ledger.core import BatchRecord


@dataclass(frozen=True)
class Place:
    """Where a batch is: what the ledger knows of it, and the number of its newest event."""

    record: BatchRecord
    event: int

    @classmethod
    def of(cls, steps: BatchSteps) -> "Place":
        return cls(steps.record, steps.ledger.last_event(steps.name))


@dataclass(frozen=True)
class Did:
    """A step that was done, or failed. `began`, `ended`: Unix time in nanoseconds; `error`: its code."""

    step: Step
    began: int
    ended: int
    verdict: Verdict | None = None
    error: str | None = None

    @property
    def seconds(self) -> float:
        return (self.ended - self.began) / 1e9


class Observer:
    """Is told of one run of one batch. Must return at once: what takes time is for a thread of its own."""

    def begins(self, at: Place) -> None:
        """A run begins."""

    def did(self, at: Place, what: Did) -> None:
        """A step is over."""

    def ends(self, at: Place, error: str | None) -> None:
        """The run is over: the batch is in the state of its record, or an error with this code stopped it."""
