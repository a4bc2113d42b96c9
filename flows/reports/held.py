"""What a checkpoint found, as a page for Prefect: one sentence first, what may be decided, failed checks, and the
passed ones folded. Ids, counts, shares and codes only."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from expectations.codes import CODES
from expectations.gx.verdict import Result, Status, Verdict
from flows.batch import checkpoints
from flows.batch.steps import BatchSteps
from flows.ledger.decisions import KEYS_NEEDED


@dataclass(frozen=True)
class Found:
    """What a checkpoint of a batch found. `sentence`: why the batch goes no further, or that it does; shares stand
    beside their limits. `decisions`: what may be decided, and by which command."""

    sentence: str
    decisions: tuple[str, ...]
    results: tuple[Result, ...]

    @classmethod
    def of(cls, steps: BatchSteps, verdict: Verdict) -> "Found":
        """Raises nothing: a figure that cannot be shown does not stop a batch."""
        try:
            return cls(_sentence(steps, verdict), tuple(_decisions(steps)), verdict.results)
        except Exception:  # whatever it is: what was decided stands in the ledger
            return cls(f"{verdict.suite}: {verdict.status}. {', '.join(verdict.codes)}", (), verdict.results)

    def page(self) -> str:
        """As Markdown: the sentence, the decisions, failed checks, and the passed ones folded."""
        failed = [r for r in self.results if r.stops]
        passed = [r for r in self.results if not r.stops]
        decisions = ["## What may be decided", "\n".join(self.decisions)] if self.decisions else []
        checks = ["## Failed checks", _table(failed)] if failed else []
        return "\n\n".join([f"# {self.sentence}", *decisions, *checks, _folded(passed)])


def _sentence(steps: BatchSteps, verdict: Verdict) -> str:
    if verdict.status is Status.PASS:
        return f"{verdict.suite} passed: {verdict.evaluated} checks on {verdict.rows:,} rows."
    if verdict.status is Status.ERROR:
        missing = sum(r.ok is None for r in verdict.results)
        return f"{verdict.suite} could not be judged: {missing} of {verdict.declared} checks were not evaluated."
    measured = _measured(steps, verdict)
    said = [measured.get(code, CODES[code].message if code in CODES else code) for code in verdict.codes]
    verb = "refused" if verdict.status is Status.REFUSE else "held"
    return f"{verdict.suite} {verb} the batch. {' '.join(said)}"


def _measured(steps: BatchSteps, verdict: Verdict) -> dict[str, str]:
    """Sentences with figures, for the codes that have a limit."""
    found, failed = dict[str, str](), {r.check.removeprefix("authority.") for r in verdict.failed}
    if "TOO_MANY_INCOMPLETE" in verdict.codes:
        found["TOO_MANY_INCOMPLETE"] = _incomplete(checkpoints.intake_facts(steps.ctx, steps.dropped()), failed)
    if {"MATCH_RATE", "TIER_MIX"} & set(verdict.codes):
        m = checkpoints.match_counts(steps.ctx)
        rate, weak = m["matched"] / max(m["looked_up"], 1), m["tier_c"] + m["tier_d"]
        low, high, share = m["min_match_rate"], m["max_match_rate"], weak / max(m["matched"], 1)
        found["MATCH_RATE"] = f"{rate:.1%} of the rows looked up were matched, against {low:.1%} to {high:.1%}."
        found["TIER_MIX"] = f"{share:.1%} of the matches are of tiers C and D, against {m['max_weak_tiers']:.1%}."
    return found


def _incomplete(f: dict[str, Any], failed: set[str]) -> str:
    """Each way of counting incomplete addresses that failed: the share, and its limit."""
    rows = f["rows_submitted"] - f["rows_dropped"]
    bad, earlier = f["incomplete_rows"], f["earlier_rows"]
    month = (bad + f["earlier_incomplete_rows"]) / max(rows + earlier, 1)
    shares = {
        "incomplete_share": ("of the rows", bad / max(rows, 1)),
        "incomplete_share_per_file": ("of the rows of one file", f["worst_file_incomplete_share"]),
        "incomplete_share_30_days": ("of all rows of 30 days", month),
    }
    said = [f"{share:.1%} {of} against {f[name]:.1%}" for name, (of, share) in shares.items() if name in failed]
    if "incomplete_share_by_code" in failed:
        said.append(f"more than was agreed have {', '.join(f['codes_over_limit'])}")
    return f"Incomplete addresses: {'; '.join(said)}."


def _decisions(steps: BatchSteps) -> Iterator[str]:
    for decision in sorted(steps.ledger.allowed_decisions(steps.name)):
        keys = KEYS_NEEDED[decision]
        who = "one operator signs" if keys == 1 else f"{keys} operators sign"
        yield f"- {decision}: {who}: `sluicegate review decide {steps.name} {decision} --key KEY`"


def _table(results: Iterable[Result]) -> str:
    lines = ["| check | failed | of rows | code | source |", "| --- | --- | --- | --- | --- |"]
    for r in results:
        shown = (r.check, r.failed if r.ok is not None else "not evaluated", r.rows, r.code, r.source)
        lines.append(f"| {' | '.join('' if v is None else str(v) for v in shown)} |")
    return "\n".join(lines)


def _folded(results: list[Result]) -> str:
    """In HTML, on one line: Prefect's page folds nothing that Markdown stands between."""
    lines = (f"{r.check}: {r.rows:,} rows" if r.rows is not None else r.check for r in results)
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<details><summary>{len(results)} checks passed</summary><ul>{items}</ul></details>"
