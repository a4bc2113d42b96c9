"""What a court order does, by its effect: one entry for each, with an answer to everything that any code asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from expectations.base.total import total


class Effect(StrEnum):
    """What an order does within its scope."""

    FORBID = "forbid"
    RESTRICT = "restrict"
    HOLD = "hold"
    RECALL = "recall"
    LIFT = "lift"
    DECLARE = "declare"


class OnBatch(StrEnum):
    """What becomes of a batch that an order covers as a whole, whatever its fields and districts."""

    FORBIDDEN = "nothing of it may be released"
    WAITS = "it is held while the order stands"
    GOES_ON = "it goes on, less what the order takes away"


@dataclass(frozen=True, kw_only=True)
class Does:
    """One entry. Nothing has a default: whoever adds an effect answers every question.

    meaning         for those who write an order
    idle            it stands against no request; if not, it takes away the fields and holds the rows that it speaks of
    on_batch        what becomes of a batch where the order names neither fields nor districts
    restricts       it has a table [only], and no other has
    lifts           it names the orders that it ends, and no other does
    supersedes      it may name orders in whose place it stands
    preserves       it may say that what was disclosed is to be preserved as it is
    disposes        it may say that what was disclosed is destroyed or returned despite another order
    keeps_evidence  while it stands, the holder's evidence of what it covers is not shredded
    reaches_back    from the day on which it is in force it stands against disclosures of any earlier day
    """

    meaning: str
    idle: bool
    on_batch: OnBatch
    restricts: bool
    lifts: bool
    supersedes: bool
    preserves: bool
    disposes: bool
    keeps_evidence: bool
    reaches_back: bool


EFFECTS: Mapping[Effect, Does] = total(
    Effect,
    {
        Effect.FORBID: Does(
            meaning="nothing may be released",
            idle=False,
            on_batch=OnBatch.FORBIDDEN,
            restricts=False,
            lifts=False,
            supersedes=True,
            preserves=True,
            disposes=True,
            keeps_evidence=False,
            reaches_back=False,
        ),
        Effect.RESTRICT: Does(
            meaning="only what [only] names",
            idle=False,
            on_batch=OnBatch.GOES_ON,
            restricts=True,
            lifts=False,
            supersedes=True,
            preserves=True,
            disposes=True,
            keeps_evidence=False,
            reaches_back=False,
        ),
        Effect.HOLD: Does(
            meaning="batches wait",
            idle=False,
            on_batch=OnBatch.WAITS,
            restricts=False,
            lifts=False,
            supersedes=True,
            preserves=True,
            disposes=True,
            keeps_evidence=True,
            reaches_back=False,
        ),
        Effect.RECALL: Does(
            meaning="get back, and nothing may be released",
            idle=False,
            on_batch=OnBatch.FORBIDDEN,
            restricts=False,
            lifts=False,
            supersedes=True,
            preserves=True,
            disposes=True,
            keeps_evidence=True,
            reaches_back=True,
        ),
        Effect.LIFT: Does(
            meaning="ends the orders in lifts",
            idle=True,
            on_batch=OnBatch.GOES_ON,
            restricts=False,
            lifts=True,
            supersedes=True,
            preserves=False,
            disposes=True,
            keeps_evidence=False,
            reaches_back=False,
        ),
        Effect.DECLARE: Does(
            meaning="says what the law is, and changes nothing",
            idle=True,
            on_batch=OnBatch.GOES_ON,
            restricts=False,
            lifts=False,
            supersedes=False,
            preserves=False,
            disposes=False,
            keeps_evidence=False,
            reaches_back=False,
        ),
    },
)
