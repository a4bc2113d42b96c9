"""The tables of a page, from the entries: `python -m pipelines.match.document infra/docs/matching.md`; a test looks."""

import sys
from collections.abc import Iterable
from pathlib import Path

from pipelines.match import outcomes, tiers
from pipelines.match.comparisons import COMPARISONS
from pipelines.match.comparisons.level import Level
from pipelines.match.vetoes import PAIR_VETOES, REQUEST_VETOES, Veto
from pipelines.register.keys import KEYS

BEGIN, END = "<!-- made by pipelines.match.document -->\n", "<!-- end -->\n"


def document(text: str) -> str:
    """The text of the file with the tables of today between its two marks. Raises ValueError without them."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the document needs the marks {BEGIN.strip()} and {END.strip()}")
    return "\n".join([before + BEGIN, *_sections(), END + after])


def _sections() -> Iterable[str]:
    yield "## Blocking keys\n"
    yield _table(["key", "what is equal", "why"], ([f"`{id}`", key.meaning, key.why] for id, key in KEYS.items()))
    yield "## Comparison levels\n\nThe first level that holds is the pair's.\n"
    for comparison in COMPARISONS:
        yield f"### `{comparison.column}`\n"
        yield _table(["level", "when", "why", "evidence", "m", "u"], map(_cells, comparison.levels))
    yield "## Vetoes\n\nA pair with a veto has no tier:\n"
    yield _vetoes(PAIR_VETOES)
    yield "What stands against a whole request, shown with the vetoes of its best record; it is never `matched`:\n"
    yield _vetoes(REQUEST_VETOES)
    yield "## Tiers\n\nThe first tier that holds is the pair's.\n"
    for tier, rule in tiers.RULES.items():
        yield f"### Tier {tier}\n\nAlways needed: {rule.meaning}. Why: {rule.why}. And one of:\n"
        yield _table(["", "what agrees", "why"], ([f"`{a.id}`", a.meaning, a.why] for a in rule.alternatives))
    yield "## Outcomes\n\nThe first rule that holds decides.\n"
    yield _table(["outcome", "when"], ([f"`{rule.outcome}`", rule.meaning] for rule in outcomes.RULES))


def _cells(level: Level) -> list[str]:
    figures = ("", "") if level.m == level.u else (f"{level.m:g}", f"{level.u:g}")
    return [f"`{level.id}`", level.meaning, level.why, level.evidence and f"`{level.evidence}`", *figures]


def _vetoes(vetoes: Iterable[Veto]) -> str:
    return _table(["veto", "when", "why"], ([f"`{veto.id}`", veto.meaning, veto.why] for veto in vetoes))


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [heads, ["---"] * len(heads), *rows])


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(document(file.read_text(encoding="utf-8")), encoding="utf-8")
