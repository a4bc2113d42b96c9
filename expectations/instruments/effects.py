"""What a court order does, by its effect: one entry for each, with an answer to everything that any code asks of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from expectations.base.total import total


class Effect(StrEnum):
    """What an order does within its scope."""

    FORBID = "forbid"
    RESTRICT = "restrict"
    BAR = "bar"
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
    bars            it names a list of persons in barred, and no other does
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
    bars: bool
    lifts: bool
    supersedes: bool
    preserves: bool
    disposes: bool
    keeps_evidence: bool
    reaches_back: bool


_MEANINGS = {
    Effect.FORBID: "nothing may be released",
    Effect.RESTRICT: "only what [only] names",
    Effect.BAR: "nothing on the persons of the list in barred",
    Effect.HOLD: "batches wait",
    Effect.RECALL: "get back, and nothing may be released",
    Effect.LIFT: "ends the orders in lifts",
    Effect.DECLARE: "says what the law is, and changes nothing",
}
_TABLE = """
effect          forbid     restrict  bar      hold   recall     lift     declare
on_batch        FORBIDDEN  GOES_ON   GOES_ON  WAITS  FORBIDDEN  GOES_ON  GOES_ON
idle            no         no        no       no     no         yes      yes
restricts       no         yes       no       no     no         no       no
bars            no         no        yes      no     no         no       no
lifts           no         no        no       no     no         yes      no
supersedes      yes        yes       yes      yes    yes        yes      no
preserves       yes        yes       yes      yes    yes        no       no
disposes        yes        yes       yes      yes    yes        yes      no
keeps_evidence  no         no        no       yes    yes        no       no
reaches_back    no         no        no       no     yes        no       no
"""
_ANSWERS: Mapping[str, Any] = {"yes": True, "no": False, **OnBatch.__members__}
(_, *_QUESTIONS), *_COLUMNS = zip(*map(str.split, _TABLE.strip().splitlines()), strict=True)
EFFECTS: Mapping[Effect, Does] = total(
    Effect,
    {
        Effect(name): Does(
            meaning=_MEANINGS[Effect(name)],
            **{question: _ANSWERS[word] for question, word in zip(_QUESTIONS, words, strict=True)},
        )
        for name, *words in _COLUMNS
    },
)
