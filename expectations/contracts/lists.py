"""Closed lists: outcomes, origins, tiers, ways to corroborate, stages."""

from collections.abc import Mapping
from enum import StrEnum

from expectations.base.total import total


class Outcome(StrEnum):
    """How a submitted row ended. Each row has exactly one (infra/docs/invariants.md, 1)."""

    REJECTED = "rejected"  # could not be read as a row
    DUPLICATE = "duplicate"  # its request id occurs more than once in the submission
    ALREADY_DISCLOSED = "already_disclosed"  # its request id was answered before
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    NEAR = "near"  # name and address only: plausible, without release path
    HELD = "held"  # a rule failed
    DROPPED = "dropped"  # two people dropped the incomplete rows of a held batch
    REFUSED = "refused"  # the batch was refused or rejected
    RELEASED = "released"


class Origin(StrEnum):
    """Who asked: the requester, or the holder (a control row), which never counts in rates, accounting or package."""

    REQUEST = "request"
    CONTROL = "decoy"


class Tier(StrEnum):
    """On which evidence a record was matched (infra/docs/matching.md)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Corroboration(StrEnum):
    """How the request's address compares with the addresses on file of the candidate. Only SAME corroborates."""

    SAME = "same"
    BUILDING = "building"  # same building, but the units are not the same
    DIFFERS = "differs"
    NOT_COMPARABLE = "not_comparable"


class Stage(StrEnum):
    """The four stages, in their order."""

    INGEST = "ingest"
    MATCH = "match"
    VALIDATE = "validate"
    RELEASE = "release"


# The stages whose rows may carry each outcome; none: the accounting alone says it, or a list of its own.
ENDS_IN: Mapping[Outcome, frozenset[Stage]] = total(
    Outcome,
    {
        **dict.fromkeys((Outcome.REJECTED, Outcome.DROPPED, Outcome.REFUSED, Outcome.RELEASED), frozenset()),
        **dict.fromkeys((Outcome.DUPLICATE, Outcome.ALREADY_DISCLOSED), frozenset({Stage.INGEST})),
        **dict.fromkeys((Outcome.UNMATCHED, Outcome.AMBIGUOUS, Outcome.NEAR), frozenset({Stage.MATCH})),
        Outcome.HELD: frozenset({Stage.INGEST, Stage.VALIDATE}),
    },
)


def ends(stage: Stage) -> tuple[Outcome, ...]:
    """The outcomes that rows of this stage may carry."""
    return tuple(outcome for outcome, stages in ENDS_IN.items() if stage in stages)


# The holder's own lists of persons (`facts.persons`): no order names them.
SECRET = ("informant", "protected")
