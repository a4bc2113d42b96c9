"""What a checkpoint found, as a page for Prefect: one sentence first, what may be decided, failed checks, and the
passed ones folded. Ids, counts, shares and codes only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from expectations.base.total import total
from expectations.codes import CODES
from expectations.gx.verdict import Result, Status, Verdict
from flows.batch.figures import Figure, Measure
from flows.batch.steps import BatchSteps
from flows.ledger.decisions import KEYS_NEEDED

# The code that a share explains, and what stands before the shares of a code.
_EXPLAINS: Mapping[Measure, str] = total(
    Measure,
    {
        Measure.INCOMPLETE: "TOO_MANY_INCOMPLETE",
        Measure.INCOMPLETE_FILE: "TOO_MANY_INCOMPLETE",
        Measure.INCOMPLETE_MONTH: "TOO_MANY_INCOMPLETE",
        Measure.INCOMPLETE_CODE: "TOO_MANY_INCOMPLETE",
        Measure.MATCHED: "MATCH_RATE",
        Measure.WEAK: "TIER_MIX",
    },
)
_BEFORE = {"TOO_MANY_INCOMPLETE": "Incomplete addresses: "}


@dataclass(frozen=True)
class Found:
    """What a checkpoint of a batch found. `sentence`: why the batch goes no further, or that it does; shares stand
    beside their limits. `decisions`: what may be decided, and by which command; `link`: the console's page of it."""

    sentence: str
    decisions: tuple[str, ...]
    results: tuple[Result, ...]
    link: str

    @classmethod
    def of(cls, steps: BatchSteps, verdict: Verdict) -> "Found":
        """Raises nothing: what cannot be shown does not stop a batch."""
        link = steps.home.config.console.page_of(steps.name, verdict.suite)
        try:
            return cls(sentence(verdict, steps.figures), tuple(_decisions(steps)), verdict.results, link)
        except Exception:  # whatever it is: what was decided stands in the ledger
            return cls(f"{verdict.suite}: {verdict.status}. {', '.join(verdict.codes)}", (), verdict.results, link)

    def page(self) -> str:
        """As Markdown: the sentence, the decisions, the console's page, failed checks, and the passed ones folded."""
        failed = [r for r in self.results if r.stops]
        passed = [r for r in self.results if not r.stops]
        decisions = ["## What may be decided", "\n".join(self.decisions)] if self.decisions else []
        checks = ["## Failed checks", _table(failed)] if failed else []
        console = f"[The same in the console]({self.link}), where it runs"
        return "\n\n".join([f"# {self.sentence}", *decisions, console, *checks, _folded(passed)])


def sentence(verdict: Verdict, figures: Iterable[Figure]) -> str:
    """One sentence: why a batch goes no further after this checkpoint, or that it does."""
    if verdict.status is Status.PASS:
        return f"It passed {verdict.suite}: {verdict.evaluated:,} checks on {verdict.rows:,} rows."
    if verdict.status is Status.ERROR:
        missing = sum(r.ok is None for r in verdict.results)
        why = f"{missing:,} of {verdict.declared:,} checks were not evaluated"
        return f"The batch is held at {verdict.suite}, which could not be judged: {why}."
    measured = _measured(figures)
    said = [measured.get(code, CODES[code].message if code in CODES else code) for code in verdict.codes]
    ended = "was refused" if verdict.status is Status.REFUSE else "is held"
    return f"The batch {ended} at {verdict.suite}. {' '.join(said)}"


def _measured(figures: Iterable[Figure]) -> dict[str, str]:
    """Sentences with figures, by the code that they explain."""
    said: dict[str, list[str]] = {}
    for one in figures:
        said.setdefault(_EXPLAINS[one.measure], []).append(f"{one.said} against {one.limit}")
    return {code: f"{_BEFORE.get(code, '')}{'; '.join(parts)}." for code, parts in said.items()}


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
