"""What a checkpoint decided: counts and ids only."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    PASS = "PASS"
    HOLD = "HOLD"  # evaluated as declared, and a check failed
    REFUSE = "REFUSE"  # a check that refuses the batch failed; those of rows that go on may have had none to look at
    ERROR = "ERROR"  # something was not evaluated: nothing is known, so nothing passes


@dataclass(frozen=True)
class Result:
    """How one check came out: `rows` looked at, `failed` of them. `ok` None: not evaluated, and `error` says why.
    `informs`: it is shown beside the strict check that decides."""

    check: str
    table: str
    ok: bool | None
    rows: int | None
    failed: int | None
    code: str
    source: str
    disposition: str
    error: str | None = None
    informs: bool = False

    @property
    def stops(self) -> bool:
        """Whether it keeps the checkpoint from passing: not evaluated, or failed and more than information."""
        return self.ok is None or (not self.ok and not self.informs)


@dataclass(frozen=True)
class Verdict:
    """What a checkpoint decided. Counts and ids only; `gx` is GX's own results, reduced, for Data Docs."""

    suite: str
    status: Status
    declared: int
    evaluated: int
    rows: int
    results: tuple[Result, ...]
    gx: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def failed(self) -> tuple[Result, ...]:
        """Results that keep the checkpoint from passing, in the suite's order."""
        return tuple(r for r in self.results if r.stops)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of what failed, sorted; of an ERROR those of what was not evaluated as well."""
        failed = self.failed if self.status is Status.ERROR else (r for r in self.failed if r.ok is False)
        return tuple(sorted({r.code for r in failed}))

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON can hold it; what GX said is not copied."""
        return {**vars(self), "status": str(self.status), "results": [dict(vars(one)) for one in self.results]}
