"""The band that a batch's match rate must lie in: the agreement's, narrowed by what this requester's earlier batches had.

A rate that the agreement allows may still be a sign: of a register loaded in part, or of a requester that has begun to guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

ENOUGH = 10  # batches: fewer do not show how much the rate varies
NEWEST = 50  # batches that count: whom a requester asks for changes with the years
# Standard deviations to either side. Of good batches, one in some hundreds lies outside after ten, one in thousands after
# fifty (Student's t).
WIDTHS = 4
LEAST = 0.01


def learnt(batches: Sequence[Sequence[int]]) -> dict[str, Any]:
    """What earlier batches show, as facts of a letter. `batches`: (rows looked up, matched) of each. Each counts once,
    whatever its size: it is batches that vary."""
    rates = [matched / looked_up for looked_up, matched in batches if looked_up]
    return {
        "earlier_batches": len(rates),
        "earlier_match_rate": fmean(rates) if rates else 0.0,
        "earlier_match_spread": stdev(rates) if len(rates) > 1 else 0.0,
    }


def sql(facts: Mapping[str, Any], looked_up: str) -> tuple[str, str]:
    """Floor and ceiling of the band, as SQL over `looked_up`: the rows of this batch that were looked up.

    `facts`: of the letter (`facts.letter_facts`). Ten batches or more narrow the agreement's band to four standard deviations
    about the mean of their rates, or about the rate nearest to it that the agreement allows: so the band never widens, and
    something is always left of it.
    """
    floor, ceiling, mean, spread = (
        f"{float(facts[name])!r}::DOUBLE"
        for name in ("min_match_rate", "max_match_rate", "earlier_match_rate", "earlier_match_spread")
    )
    if facts["earlier_batches"] < ENOUGH:
        return floor, ceiling
    # The standard deviation is no less than chance alone makes a batch of this size vary, or a small batch would be held for
    # being small (Agresti and Coull 1998, plus four: the plain formula is 0 where all matched before); nor than a hundredth,
    # because chance hardly moves a large batch, and yet no two ask for the same people.
    share, rows = f"(({mean} * {looked_up} + 2) / ({looked_up} + 4))", f"({looked_up} + 4)"
    width = f"{WIDTHS} * greatest({spread}, sqrt({share} * (1 - {share}) / {rows}), {LEAST})"
    middle = f"greatest({floor}, least({ceiling}, {mean}))"
    return f"greatest({floor}, {middle} - {width})", f"least({ceiling}, {middle} + {width})"
