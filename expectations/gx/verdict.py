"""What a checkpoint decided: counts and ids only."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    PASS = "PASS"
    HOLD = "HOLD"  # evaluated as declared, and a check failed
    REFUSE = "REFUSE"  # … and one of those refuses the batch
    ERROR = "ERROR"  # something was not evaluated: nothing is known, so nothing passes


@dataclass(frozen=True)
class Result:
    """How one check came out: `rows` looked at, `failed` of them. `ok` None: not evaluated, and `error` says why."""

    check: str
    table: str
    ok: bool | None
    rows: int | None
    failed: int | None
    code: str
    source: str
    disposition: str
    error: str | None = None


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
        """Results that are not ok, in the suite's order."""
        return tuple(r for r in self.results if not r.ok)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of what failed, sorted."""
        return tuple(sorted({r.code for r in self.failed}))

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON can hold it."""
        return {**asdict(self), "status": str(self.status)}
