"""Whether a batch has authority, as far as its letter and the instruments tell: no row is looked at.

These are the rules on a batch that read letter facts only. They are judged at `intake` with all others, and again
whenever the law may have changed since. A rule that reads a count of rows is not among them.
"""

from functools import lru_cache

from expectations.base.duck import DuckSettings, session
from expectations.facts.letter import LETTER_FACTS, LetterFacts
from expectations.facts.sql import one_row
from expectations.rules.book import batch_rules
from expectations.rules.rule import Rule


def rules() -> tuple[Rule, ...]:
    """The rules of the book that need no row."""
    return tuple(rule for rule in batch_rules() if set(rule.inputs) <= LETTER_FACTS.keys())


def failing(letter: LetterFacts, settings: DuckSettings | None = None) -> list[Rule]:
    """Those of `rules` that are not met."""
    asked = rules()
    met = _met(f"SELECT {', '.join(rule.met for rule in asked)} FROM ({one_row(letter.flat())})", settings)
    return [rule for rule, one in zip(asked, met, strict=True) if not one]


@lru_cache(maxsize=64)
def _met(query: str, settings: DuckSettings | None) -> tuple[bool, ...]:
    """What the query, which reads nothing but what stands in it, says of each rule. A batch asks at each of its steps,
    and the facts seldom change between two."""
    with session(settings) as connection:
        return connection.execute(query).fetchall()[0]
