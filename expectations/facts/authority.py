"""Whether a batch has authority, as far as its letter and the instruments tell: no row is looked at.

These are the rules on a batch that read letter facts only. They are judged at `intake` with all others, and again
whenever the law may have changed since. A rule that reads a count of rows is not among them.
"""

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
    with session(settings) as connection:
        row = connection.execute(f"SELECT {', '.join(r.met for r in asked)} FROM ({one_row(letter.flat())})").fetchall()
    return [rule for rule, met in zip(asked, row[0], strict=True) if not met]
