"""The form of a rule: a DuckDB predicate that must be TRUE, with what follows if it is not.

NULL counts as a failure: what cannot be evaluated is withheld. Each rule has one entry, one spec case, one violating row,
and fails on the all-null row (`sluicegate gates selftest` proves the last two each night).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from expectations import codes
from expectations.errors import Fault


class Scope(StrEnum):
    ROW = "row"
    BATCH = "batch"


class Phase(StrEnum):
    REQUEST = "request"  # needs only the submission; runs in ingest
    REGISTER = "register"  # needs facts on file; runs in validate


class Disposition(StrEnum):
    HOLD_ROW = "hold the row"
    HOLD_BATCH = "hold the batch"
    REFUSE_BATCH = "refuse the batch"


@dataclass(frozen=True)
class Rule:
    """One rule of the rule book.

    id           `family.name`, for example `address.number`
    inputs       columns that the predicate reads, of the canonical or verdict row, or of the one-row table of batch facts
    predicate    DuckDB SQL over these columns; TRUE: the rule is met
    code         of the closed list in `codes`; message, what to mend and source of law stand there
    poison       one row (column → value) that violates this rule and no other, on top of the suite's clean row
    """

    id: str
    scope: Scope
    phase: Phase
    inputs: tuple[str, ...]
    predicate: str
    disposition: Disposition
    code: str
    poison: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        codes.code(self.code)  # fails at import on a code outside the closed list
        if not self.inputs or not self.predicate.strip():
            raise Fault("EMPTY_RULE", f"rule {self.id} has no inputs or no predicate")

    @property
    def message(self) -> str:
        return codes.code(self.code).message

    @property
    def source(self) -> str:
        return codes.code(self.code).source

    @property
    def met(self) -> str:
        """The predicate, closed against NULL."""
        return f"coalesce(({self.predicate}), false)"


def registry(rules: Iterable[Rule]) -> dict[str, Rule]:
    """Rules by id, in their order; a second rule with the same id is a fault found at import."""
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in found:
            raise Fault("RULE_TWICE", f"two rules are called {rule.id}")
        found[rule.id] = rule
    return found


def failing_codes(rules: Iterable[Rule]) -> str:
    """SQL for the sorted list of codes of the row rules that are not met."""
    cases = ", ".join(f"CASE WHEN {r.met} THEN NULL ELSE '{r.code}' END" for r in rules)
    if not cases:
        raise Fault("NO_RULES", "a verdict over no rules would pass everything")
    return f"list_sort(list_distinct(list_filter([{cases}], c -> c IS NOT NULL)))"
