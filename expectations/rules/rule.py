"""The form of a rule: a DuckDB predicate that must be TRUE, with what follows if it is not.

NULL counts as a failure: what cannot be evaluated is withheld. Each rule has one entry, which holds its predicate, the
words of its code and a row that violates it; cases in `tests/spec/rules`; and it fails on the all-null row (`sluicegate
gates selftest` proves the last two each night).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from expectations.base.errors import Fault
from expectations.base.total import total
from expectations.code import Code, CodePhase


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


# Whether a failure is final for the batch; if not, it waits for a person (or its row does).
REFUSES = total(
    Disposition, {Disposition.HOLD_ROW: False, Disposition.HOLD_BATCH: False, Disposition.REFUSE_BATCH: True}
)
# The scope whose rules may end in each disposition; the phase of the codes of row rules; that of all rules of a scope.
_ENDS = total(
    Disposition,
    {Disposition.HOLD_ROW: Scope.ROW, Disposition.HOLD_BATCH: Scope.BATCH, Disposition.REFUSE_BATCH: Scope.BATCH},
)
_ROW_CODES = total(Phase, {Phase.REQUEST: CodePhase.REQUEST, Phase.REGISTER: CodePhase.REGISTER})
_CODES = total(Scope, {Scope.ROW: _ROW_CODES, Scope.BATCH: dict.fromkeys(Phase, CodePhase.BATCH)})


@dataclass(frozen=True)
class Rule:
    """One rule of the rule book.

    id           `family.name`, for example `address.number`
    inputs       columns that the predicate reads: of the canonical or verdict row, or of the one row of batch facts
    predicate    DuckDB SQL over these columns; TRUE: the rule is met
    says         the code of a row or batch that does not meet it: what is wrong, what to fix, the source of law
    poison       one row (column → value) that violates this rule and no other, on top of the suite's clean row
    agreed       the agreement has a word in it, beside what its inputs show: verdicts cite it
    """

    id: str
    scope: Scope
    phase: Phase
    inputs: tuple[str, ...]
    predicate: str
    disposition: Disposition
    says: Code
    poison: Mapping[str, Any] = field(default_factory=dict)
    agreed: bool = False

    def __post_init__(self) -> None:
        if not self.inputs or not self.predicate.strip():
            raise Fault("EMPTY_RULE", f"rule {self.id} has no inputs or no predicate")
        if _ENDS[self.disposition] is not self.scope or _CODES[self.scope][self.phase] is not self.says.phase:
            raise Fault("RULE_MISPLACED", f"rule {self.id} has a disposition or a code of another scope or phase")

    @property
    def code(self) -> str:
        return self.says.name

    @property
    def source(self) -> str:
        return self.says.source

    @property
    def met(self) -> str:
        """The predicate, closed against NULL."""
        return f"coalesce(({self.predicate}), false)"


# What an entry says first: name, code, source of law; and last, in words: what is wrong, and how to fix it.
Head = tuple[str, str, str]
Words = tuple[str, str]


def row_rule(
    phase: Phase,
    family: str,
    head: Head,
    inputs: tuple[str, ...],
    predicate: str,
    poison: Mapping[str, Any],
    words: Words,
    *,
    agreed: bool = False,
    blocking: bool = True,
) -> Rule:
    """A rule on each row, `FAMILY.NAME`."""
    name, code, source = head
    says = Code(code, _ROW_CODES[phase], *words, source, blocking)
    return Rule(f"{family}.{name}", Scope.ROW, phase, inputs, predicate, Disposition.HOLD_ROW, says, poison, agreed)


def batch_rule(
    head: Head,
    predicate: str,
    poison: Mapping[str, Any],
    words: Words,
    *,
    disposition: Disposition = Disposition.REFUSE_BATCH,
    inputs: tuple[str, ...] | None = None,
) -> Rule:
    """A rule on the batch as a whole, `authority.NAME`, over its facts; `inputs`: those of the poison, if left out."""
    name, code, source = head
    says, reads = Code(code, CodePhase.BATCH, *words, source), inputs or tuple(poison)
    return Rule(f"authority.{name}", Scope.BATCH, Phase.REQUEST, reads, predicate, disposition, says, poison)


def registry(*rules: Rule) -> dict[str, Rule]:
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
