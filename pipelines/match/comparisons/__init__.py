"""The comparisons of a request with a record: what is compared, and at which levels it can agree (matching.md)."""

from pipelines.match.comparisons.address import ADDRESS
from pipelines.match.comparisons.birth_date import BIRTH_DATE
from pipelines.match.comparisons.name_parts import MIDDLE_NAME, SUFFIX
from pipelines.match.comparisons.names import FIRST_NAME, LAST_NAME, NAME_ORDER
from pipelines.match.comparisons.tin import TIN

NAMES = (FIRST_NAME, LAST_NAME, NAME_ORDER)
BESIDE_NAMES = (MIDDLE_NAME, SUFFIX, BIRTH_DATE, TIN, ADDRESS)
COMPARISONS = NAMES + BESIDE_NAMES

_spoken = [(level.evidence, c, level.id) for c in COMPARISONS for level in c.levels if level.evidence]
# Word of evidence → SQL of when a pair has it, by word.
EVIDENCE = {
    word: comparison.at(*(id for other, _, id in _spoken if other == word))
    for word, comparison, _ in sorted(_spoken, key=lambda spoken: spoken[0])
}
