"""Shares that a checkpoint measured, each beside its limit: kept with its result, since rows do not outlive a batch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, assert_never

from expectations.base.total import total
from expectations.gx.verdict import Status, Verdict
from flows.batch import checkpoints
from flows.ledger.lifecycles.states import Checkpoint
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts


class Measure(StrEnum):
    """What is measured: by the check that judges it."""

    INCOMPLETE = "authority.incomplete_share"
    INCOMPLETE_FILE = "authority.incomplete_share_per_file"
    INCOMPLETE_MONTH = "authority.incomplete_share_30_days"
    INCOMPLETE_CODE = "authority.incomplete_share_by_code"
    MATCHED = "matching.rate"
    WEAK = "matching.tier_mix"


# The share of what it is, in words that follow a percentage.
OF: Mapping[Measure, str] = total(
    Measure,
    {
        Measure.INCOMPLETE: "of the rows",
        Measure.INCOMPLETE_FILE: "of the rows of one file",
        Measure.INCOMPLETE_MONTH: "of all rows of 30 days",
        Measure.INCOMPLETE_CODE: "of the rows with",
        Measure.MATCHED: "of the rows looked up were matched",
        Measure.WEAK: "of the matches are of tiers C and D",
    },
)


@dataclass(frozen=True)
class Figure:
    """One share, from 0 to 1. `low`, `high`: between them it is met; None: no limit on that side. `code`: of the rows
    that are counted, where each code has a limit of its own."""

    measure: Measure
    share: float
    low: float | None
    high: float | None
    code: str | None = None

    @property
    def said(self) -> str:
        """What was measured: 12.5% of the rows."""
        return " ".join(filter(None, (f"{self.share:.1%}", OF[self.measure], self.code)))

    @property
    def limit(self) -> str:
        """10.0%, or 60.0% to 95.0%."""
        return " to ".join(f"{bound:.1%}" for bound in (self.low, self.high) if bound is not None)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Figure":
        """As it was kept."""
        return cls(**{**kept, "measure": Measure(kept["measure"])})


def measured(which: Checkpoint, ctx: BatchContext, dropped: Path | None, verdict: Verdict) -> tuple[Figure, ...]:
    """What failed of a checkpoint that measures shares; nothing of one that passed. Raises nothing: a figure that
    cannot be shown decides nothing, and must not stop a batch that is being stopped."""
    failed = {result.check for result in verdict.failed}
    if verdict.status is Status.PASS or not failed & set(Measure):
        return ()
    try:
        return tuple(one for one in _all(which, ctx, dropped, verdict) if one.measure in failed)
    except Exception:  # the checkpoint's own error says what is wrong
        return ()


def _all(which: Checkpoint, ctx: BatchContext, dropped: Path | None, verdict: Verdict) -> Iterator[Figure]:
    match which:
        case Checkpoint.INTAKE:
            facts = checkpoints.intake_facts(ctx, dropped)
            yield from _incomplete(facts)
            yield from _by_code(facts, verdict, letter_facts(ctx).thresholds.incomplete_share_by_code)
        case Checkpoint.MATCHING:
            yield from _matches(checkpoints.match_counts(ctx))
        case Checkpoint.ELIGIBILITY | Checkpoint.DISCLOSURE:
            return  # nothing there is judged by a share
        case _:
            assert_never(which)


def _figure(measure: Measure, share: float, low: Any, high: Any, code: str | None = None) -> Figure:
    """Limits come from DuckDB as decimals, which JSON does not have."""
    return Figure(
        measure, float(share), None if low is None else float(low), None if high is None else float(high), code
    )


def _incomplete(f: Mapping[str, Any]) -> Iterator[Figure]:
    rows, bad = f["rows_submitted"] - f["rows_dropped"], f["incomplete_rows"]
    month = (bad + f["earlier_incomplete_rows"]) / max(rows + f["earlier_rows"], 1)
    yield _figure(Measure.INCOMPLETE, bad / max(rows, 1), None, f["incomplete_share"])
    yield _figure(Measure.INCOMPLETE_FILE, f["worst_file_incomplete_share"], None, f["incomplete_share_per_file"])
    yield _figure(Measure.INCOMPLETE_MONTH, month, None, f["incomplete_share_30_days"])


def _by_code(f: Mapping[str, Any], verdict: Verdict, limits: Mapping[str, float]) -> Iterator[Figure]:
    counted = {result.check: result for result in verdict.results if result.informs}
    for code in f["codes_over_limit"]:
        shown = counted[f"quality.{code.lower()}"]
        yield _figure(Measure.INCOMPLETE_CODE, (shown.failed or 0) / max(shown.rows or 0, 1), None, limits[code], code)


def _matches(m: Mapping[str, Any]) -> Iterator[Figure]:
    rate, weak = m["matched"] / max(m["looked_up"], 1), (m["tier_c"] + m["tier_d"]) / max(m["matched"], 1)
    yield _figure(Measure.MATCHED, rate, m["min_match_rate"], m["max_match_rate"])
    yield _figure(Measure.WEAK, weak, None, m["max_weak_tiers"])
