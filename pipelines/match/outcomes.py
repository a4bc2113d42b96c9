"""How a request ends at this stage: the first rule whose condition holds decides.

A condition is SQL over what `resolve` knows of a request once every part of the register has been compared: `too_many`,
`tin_elsewhere`, and how many of its records are `releasable` (of a tier) and `plausible`. To the requester every
outcome but `matched` reads NOT_CONFIRMED.
"""

from enum import StrEnum
from typing import NamedTuple

from expectations.base.total import total


class MatchOutcome(StrEnum):
    """Ends of a request in this stage. In the contract (`CANDIDATE`) a match is null: it goes on to validate."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    NEAR = "near"


class Rule(NamedTuple):
    outcome: MatchOutcome
    when: str
    meaning: str


_ONE = "releasable = 1 AND plausible = 1 AND NOT tin_elsewhere"
# Order matters: what stands in the way of knowing goes before what was found.
RULES = (
    Rule(MatchOutcome.AMBIGUOUS, "too_many", "it leads to too many records to say which is meant"),
    Rule(
        MatchOutcome.MATCHED,
        f"{_ONE} AND tier_demanded",
        "exactly one record has a tier, no other is plausible, and its TIN is on file for nobody else",
    ),
    Rule(MatchOutcome.NEAR, _ONE, "the same, by a tier that the agreement does not take"),
    Rule(
        MatchOutcome.AMBIGUOUS,
        "releasable >= 1 OR plausible >= 2",
        "two records might be meant, or the TIN is on file for a record that has no tier",
    ),
    Rule(MatchOutcome.NEAR, "plausible = 1", "one plausible record, without a tier"),
    Rule(MatchOutcome.UNMATCHED, "true", "no plausible record"),
)

# SQL: the outcome of a request.
SQL = "CASE{}\n      END".format("".join(f"\n        WHEN {rule.when} THEN '{rule.outcome}'" for rule in RULES))

total(MatchOutcome, {rule.outcome: rule for rule in RULES})  # each outcome has a rule that leads to it
