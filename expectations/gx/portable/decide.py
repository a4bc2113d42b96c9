"""The verdict of a checkpoint: PASS only if every declared check was evaluated and met, on the rows that were stated.

`Decide` is an action of a GX Checkpoint. GX's own `success` says less: it is true of a check that looked at nothing,
and false of one that only informs.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from great_expectations.checkpoint.actions import ActionContext, ValidationAction
from great_expectations.checkpoint.checkpoint import CheckpointResult
from great_expectations.compatibility.pydantic import PrivateAttr

EMPTY = "NO_ROWS"  # why a check of rows was not evaluated: there are none


class Finding(NamedTuple):
    """What one GX expectation found. `error`: what hindered it; then nothing was evaluated."""

    check: str
    success: bool
    rows: int | None
    failed: int | None
    error: str | None


class Judged(NamedTuple):
    """How a declared check ended, and what its failure does: refuse the batch, hold it, or only inform."""

    ok: bool | None
    error: str | None
    refuses: bool
    informs: bool

    @property
    def stops(self) -> bool:
        """Whether it keeps the checkpoint from passing: not evaluated, or failed and more than information. Of no rows
        there is nothing to inform: two people may have dropped them all."""
        if self.ok is None:
            return not (self.informs and self.error == EMPTY)
        return not self.ok and not self.informs


class Ended(NamedTuple):
    """How a check ended, of one expectation or two. `ok` None: not evaluated, and `error` says why."""

    ok: bool | None
    rows: int | None
    failed: int | None
    error: str | None


def found(result: Any) -> Finding:
    """Counts of one expectation's result: never a value, a query or an exception's text, which may quote values."""
    counts = result.result or {}
    observed, error = counts.get("observed_value"), raised(result.exception_info)
    rows = counts.get("element_count", observed if isinstance(observed, int) else None)
    check = result.expectation_config.meta["check"]
    return Finding(check, bool(result.success) and error is None, rows, counts.get("unexpected_count"), error)


def raised(info: dict[str, Any] | None) -> str | None:
    """A mark, of GX's two shapes of exception_info, that an expectation raised; None if it did not."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    return "NOT_EVALUATED" if any(isinstance(e, dict) and e.get("raised_exception") for e in entries) else None


def ended(findings: Iterable[Finding], looks_at_rows: bool, broken: str | None = None) -> Ended:
    """One check's findings together. `looks_at_rows`: one that saw none has proved nothing; `broken`: its table is."""
    given = list(findings)
    counts = [f.rows for f in given if f.rows is not None]
    rows, failed = min(counts, default=None), max((f.failed for f in given if f.failed is not None), default=None)
    errors = [f.error for f in given if f.error]
    empty = looks_at_rows and not rows
    error = broken or (errors[0] if errors else None) or ("NO_RESULT" if not given else EMPTY if empty else None)
    return Ended(None if error else all(f.success for f in given), rows, failed, error)


def status(checks: Iterable[Judged], rows: int) -> str:
    """PASS, HOLD, REFUSE or ERROR. `checks`: every declared one; `rows`: what is stated of the main table.

    What was not evaluated never passes. But where all that is missing is rows (each of them was held, because the
    letter names no officer, or no statute that there are rules for), what refuses the batch was found, and refuses it.
    """
    given = list(checks)
    unknown = {one.error for one in given if one.ok is None and one.stops}
    failed = [one.refuses for one in given if one.ok is False and one.stops]
    if not given or rows <= 0 or (unknown and not (any(failed) and unknown == {EMPTY})):
        return "ERROR"
    return "PASS" if not failed else "REFUSE" if any(failed) else "HOLD"


def codes(checks: Iterable[tuple[str, Judged]], ended: str) -> list[str]:
    """Codes (with each check, its own) of what failed, sorted; of an ERROR those of what was not evaluated as well."""
    return sorted({code for code, one in checks if one.stops and (ended == "ERROR" or one.ok is False)})


class Decide(ValidationAction):
    """Gives the verdict on a checkpoint's results, and writes it to `folder`, if one is named.

    declared   of each check: its id → code, refuses, informs, looks_at_rows
    rows       of the main table, as stated
    """

    type: Literal["sluicegate_decide"] = "sluicegate_decide"
    declared: dict[str, dict[str, Any]]
    rows: int
    folder: str | None = None

    _findings: list[Finding] = PrivateAttr(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """What the last run found."""
        return self._findings

    def run(self, checkpoint_result: CheckpointResult, action_context: ActionContext | None = None) -> dict[str, Any]:
        self._findings = [found(one) for suite in checkpoint_result.run_results.values() for one in suite.results]
        verdict = self.verdict(checkpoint_result.name)
        if self.folder:
            place = Path(self.folder)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{checkpoint_result.name}.json").write_text(json.dumps(verdict, indent=2) + "\n")
        return verdict

    def verdict(self, name: str) -> dict[str, Any]:
        """Status, codes and counts of what was found."""
        by_check: dict[str, list[Finding]] = {}
        for one in self._findings:
            by_check.setdefault(one.check, []).append(one)
        results = {id: ended(by_check.get(id, []), said["looks_at_rows"]) for id, said in self.declared.items()}
        judged = {id: self._judged(results[id], said) for id, said in self.declared.items()}
        decided = status(judged.values(), self.rows)
        return {
            "checkpoint": name,
            "status": decided,
            "codes": codes(((self.declared[id]["code"], one) for id, one in judged.items()), decided),
            "failed": [id for id, one in judged.items() if one.stops],
            "declared": len(self.declared),
            "evaluated": sum(r.ok is not None for r in results.values()),
        }

    @staticmethod
    def _judged(result: Ended, said: Mapping[str, Any]) -> Judged:
        return Judged(result.ok, result.error, said["refuses"], said["informs"])
