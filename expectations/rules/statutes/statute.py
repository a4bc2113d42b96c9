"""The form of a rule set for one criminal statute: its elements, and what they need of request and agreement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations.base.duck import quote
from expectations.rules.rule import Head, Phase, Rule, Words, row_rule

Example = Callable[[date, Mapping[str, int]], Mapping[str, str]]


@dataclass(frozen=True)
class Statute:
    """One criminal statute that an agreement may designate (26 USC 6103(i)(2)(A)(i)).

    citation     as the letter, the agreement and court orders write it
    columns      columns of a request (`contracts.RAW_FIELDS`) without which no row can show the elements
    thresholds   thresholds of an agreement that the elements read → the lowest number that the statute allows
    rules        its elements, as row rules; see `element`
    example      fields of a request that meets them, for a letter of that date under such thresholds: for control rows
    """

    citation: str
    columns: tuple[str, ...]
    thresholds: Mapping[str, int]
    rules: dict[str, Rule]
    example: Example


def element(
    family: str,
    citation: str,
    head: Head,
    inputs: tuple[str, ...],
    predicate: str,
    poison: Mapping[str, Any],
    words: Words,
) -> Rule:
    """An element of a statute, as a rule that binds the rows of a letter that names it, and no others."""
    bound = f"statute <> {quote(citation)} OR ({predicate})"
    under = {"statute": citation, **poison}
    return row_rule(Phase.REQUEST, family, head, ("statute", *inputs), bound, under, words)
