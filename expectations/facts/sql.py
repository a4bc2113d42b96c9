"""Facts as SQL: the one-row table that batch rules read, and the constants that row rules read beside a row."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from expectations.base.duck import quote
from expectations.facts.letter import LETTER_FACTS, LetterFacts, RegisterFacts
from expectations.rules.book import register_rules, request_rules
from expectations.rules.rule import Rule


def request_constants() -> tuple[str, ...]:
    """Names of the facts that request-phase row rules read beside a canonical row."""
    return _read_by(request_rules())


def register_constants() -> tuple[str, ...]:
    """Names of the facts that register-phase row rules read beside a verdict row."""
    return _read_by(register_rules())


def beside_request(facts: LetterFacts) -> str:
    """`request_constants` as a SELECT list: `SELECT *, {beside_request(facts)} FROM …`."""
    return columns(facts.flat(), request_constants())


def beside_verdict(facts: RegisterFacts) -> str:
    """`register_constants` as a SELECT list."""
    return columns(facts.flat(), register_constants())


def columns(values: Mapping[str, Any], names: Iterable[str]) -> str:
    """Literals with their names, as the end of a SELECT list: DuckDB takes an empty one after a comma."""
    return ", ".join(f"{literal(values[name])} AS {name}" for name in names)


def one_row(values: Mapping[str, Any]) -> str:
    """`values` as a SELECT of one row; limits by code are for the counts only, and are left out."""
    return f"SELECT {columns(values, (name for name, value in values.items() if not isinstance(value, Mapping)))}"


def with_counts(facts: LetterFacts, counts: str) -> str:
    """The whole one-row table of batch facts: `facts` beside a SELECT of `counts.sql`."""
    return f"SELECT * FROM ({one_row(facts.flat())}) CROSS JOIN ({counts})"


def literal(value: Any) -> str:
    """A value as SQL, typed: a date as DATE, several texts as VARCHAR[]."""
    if isinstance(value, list | tuple):
        return f"CAST([{', '.join(quote(v) for v in value)}] AS VARCHAR[])"
    if isinstance(value, date):
        return f"DATE {quote(value.isoformat())}"
    if isinstance(value, str):
        return quote(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_by(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for rule in rules for name in rule.inputs if name in LETTER_FACTS))
