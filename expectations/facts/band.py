"""The band that a batch's match rate must lie in: the agreement's, narrowed by its earlier batches' rates.

A rate that the agreement allows may still be a sign: of a register loaded in part, or of a requester that has begun to
guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

ENOUGH = 10  # batches: fewer do not show how much the rate varies
NEWEST = 50  # batches that count: whom a requester asks for changes with the years
# Standard deviations to either side. Of good batches, one in some hundreds lies outside after ten, one in thousands
# after fifty (Student's t).
WIDTHS = 4
LEAST = 0.01


@dataclass(frozen=True)
class Learnt:
    """What earlier batches show: how many there were, the mean of their match rates, and its standard deviation."""

    batches: int
    rate: float
    spread: float


def learnt(batches: Sequence[Sequence[int]]) -> Learnt:
    """`batches`: (rows looked up, matched) of each. Each counts once, whatever its size: it is batches that vary."""
    rates = [matched / looked_up for looked_up, matched in batches if looked_up]
    return Learnt(len(rates), fmean(rates) if rates else 0.0, stdev(rates) if len(rates) > 1 else 0.0)


def sql(agreed: tuple[float, float], known: Learnt, looked_up: str) -> tuple[str, str]:
    """Floor and ceiling of the band, as SQL over `looked_up`: the rows of this batch that were looked up.

    `agreed`: the agreement's floor and ceiling. Ten batches or more narrow them to four standard deviations about the
    mean of their rates, or about the rate nearest to it that the agreement allows: so the band never widens, and
    something is always left of it.
    """
    floor, ceiling, mean, spread = (f"{float(n)!r}::DOUBLE" for n in (*agreed, known.rate, known.spread))
    if known.batches < ENOUGH:
        return floor, ceiling
    # The standard deviation is no less than chance alone makes a batch of this size vary, or a small batch would be
    # held for being small (Agresti and Coull 1998, plus four: the plain formula is 0 where all matched before); nor
    # than a hundredth, because chance hardly moves a large batch, and yet no two ask for the same people.
    share, rows = f"(({mean} * {looked_up} + 2) / ({looked_up} + 4))", f"({looked_up} + 4)"
    width = f"{WIDTHS} * greatest({spread}, sqrt({share} * (1 - {share}) / {rows}), {LEAST})"
    middle = f"greatest({floor}, least({ceiling}, {mean}))"
    return f"greatest({floor}, {middle} - {width})", f"least({ceiling}, {middle} + {width})"
