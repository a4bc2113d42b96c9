"""The form of a rule set for one criminal statute: its elements, and what they need of a request and of an agreement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations.duck import quote
from expectations.rules.rule import Disposition, Phase, Rule, Scope, registry

Example = Callable[[date, Mapping[str, int]], Mapping[str, str]]


@dataclass(frozen=True)
class Statute:
    """One criminal statute that an agreement may designate (26 USC 6103(i)(2)(A)(i)).

    citation     as the letter, the agreement and court orders write it
    columns      columns of a request (`contracts.RAW_FIELDS`) without which no row can show the elements
    thresholds   thresholds of an agreement that the elements read → the lowest number that the statute allows
    rules        its elements, as row rules; see `elements`
    example      fields of a request that meets them, for a letter of that date under such thresholds: decoys need one
    """

    citation: str
    columns: tuple[str, ...]
    thresholds: Mapping[str, int]
    rules: dict[str, Rule]
    example: Example


Element = tuple[str, tuple[str, ...], str, str, Mapping[str, Any]]


def elements(family: str, citation: str, rows: Iterable[Element]) -> dict[str, Rule]:
    """Rules from (name, inputs, predicate, code, poison). They bind the rows of a letter that names this statute, no others."""
    return registry(
        Rule(
            f"{family}.{name}", Scope.ROW, Phase.REQUEST, ("statute", *inputs),
            f"statute <> {quote(citation)} OR ({predicate})", Disposition.HOLD_ROW, code, {"statute": citation, **poison},
        )
        for name, inputs, predicate, code, poison in rows
    )  # fmt: skip
