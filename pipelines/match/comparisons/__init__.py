"""The comparisons of a request with a record: what is compared, and at which levels it can agree (matching.md)."""

from pipelines.match.comparisons.address import ADDRESS, SIMILAR_STREET
from pipelines.match.comparisons.birth_date import BIRTH_DATE
from pipelines.match.comparisons.level import Comparison, Level
from pipelines.match.comparisons.name_parts import MIDDLE_NAME, SUFFIX
from pipelines.match.comparisons.names import FIRST_NAME, LAST_NAME, NAME_ORDER
from pipelines.match.comparisons.tin import TIN

COMPARISONS = (FIRST_NAME, LAST_NAME, NAME_ORDER, MIDDLE_NAME, SUFFIX, BIRTH_DATE, TIN, ADDRESS)


def _evidence() -> dict[str, str]:
    """Word of evidence → SQL of when a pair has it, by word."""
    named = [
        (level.evidence, comparison, level.id)
        for comparison in COMPARISONS
        for level in comparison.levels
        if level.evidence
    ]
    return {
        word: comparison.at(*(id for other, _, id in named if other == word))
        for word, comparison, _ in sorted(named, key=lambda entry: entry[0])
    }


EVIDENCE = _evidence()

__all__ = [
    "ADDRESS",
    "BIRTH_DATE",
    "COMPARISONS",
    "EVIDENCE",
    "FIRST_NAME",
    "LAST_NAME",
    "MIDDLE_NAME",
    "NAME_ORDER",
    "SIMILAR_STREET",
    "SUFFIX",
    "TIN",
    "Comparison",
    "Level",
]
