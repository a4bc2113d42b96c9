"""The band that a batch's match rate must lie in: the agreement's, narrowed by its earlier batches' rates.

A rate that the agreement allows may still be a sign: of a register loaded in part, or of a requester that has begun to
guess. A batch of a few rows has hardly a rate of its own (of one row, nothing or all is matched): chance is allowed
for, and a batch too small to show a rate is judged together with the small ones before it, so that a large batch cut
into small ones is held all the same.
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
ENOUGH_ROWS = 100  # looked up: fewer show no rate, and are judged with those of the batches before


@dataclass(frozen=True)
class Learnt:
    """What earlier batches show.

    batches, rate, spread    how many there were, the mean of their match rates, and its standard deviation
    error                    how far chance alone may have moved that mean (one standard error)
    few_rows, few_matched    of the newest batches of fewer than ENOUGH_ROWS rows, as many as make up ENOUGH_ROWS
    """

    batches: int
    rate: float
    spread: float
    error: float
    few_rows: int
    few_matched: int


def learnt(batches: Sequence[Sequence[int]]) -> Learnt:
    """`batches`: (rows looked up, matched) of each. Each counts once, whatever its size: it is batches that vary."""
    some = [(looked_up, matched) for looked_up, matched in batches if looked_up]
    rates = [matched / looked_up for looked_up, matched in some]
    spread, rate = stdev(rates) if len(rates) > 1 else 0.0, fmean(rates) if rates else 0.0
    return Learnt(len(rates), rate, spread, _error(some), *_few(some))


def _error(some: Sequence[tuple[int, int]]) -> float:
    """Of the mean of their rates. By the share of all their rows, plus four as below: ten batches of one row that all
    matched do not show that all will."""
    share = (sum(matched for _, matched in some) + 2) / (sum(looked_up for looked_up, _ in some) + 4)
    return float((share * (1 - share) * sum(1 / looked_up for looked_up, _ in some)) ** 0.5 / max(len(some), 1))


def _few(some: Sequence[tuple[int, int]]) -> tuple[int, int]:
    rows = found = 0
    for looked_up, matched in some:
        if rows < ENOUGH_ROWS and looked_up < ENOUGH_ROWS:
            rows, found = rows + looked_up, found + matched
    return rows, found


def sql(agreed: tuple[float, float], known: Learnt, looked_up: str) -> tuple[str, str]:
    """Floor and ceiling of the band, as SQL over `looked_up`: the rows of this batch that were looked up.

    `agreed`: the agreement's floor and ceiling. Ten batches or more narrow them to four standard deviations about the
    mean of their rates, or about the rate nearest to it that the agreement allows: so the band never widens, and
    something is always left of it.
    """
    numbers = (*agreed, known.rate, known.spread, known.error)
    floor, ceiling, mean, spread, error = (f"{float(n)!r}::DOUBLE" for n in numbers)
    if known.batches < ENOUGH:
        return floor, ceiling
    # The standard deviation is no less than chance alone makes a batch of this size vary, or a small batch would be
    # held for being small (Agresti and Coull 1998, plus four: the plain formula is 0 where all matched before), and
    # chance may have moved the mean as well; nor than a hundredth, because chance hardly moves a large batch, and yet
    # no two ask for the same people.
    share, rows = f"(({mean} * {looked_up} + 2) / ({looked_up} + 4))", f"({looked_up} + 4)"
    chance = f"sqrt({share} * (1 - {share}) / {rows} + {error} * {error})"
    width = f"{WIDTHS} * greatest({spread}, {chance}, {LEAST})"
    middle = f"greatest({floor}, least({ceiling}, {mean}))"
    return f"greatest({floor}, {middle} - {width})", f"least({ceiling}, {middle} + {width})"


def pooled(known: Learnt, looked_up: str, matched: str) -> tuple[str, str]:
    """The rows and the matches that the agreement's own band is judged by, as SQL: those of this batch; if it looked
    up fewer than ENOUGH_ROWS, with those of the small batches before it. One that looked nothing up is judged alone."""
    few = f"{looked_up} > 0 AND {looked_up} < {ENOUGH_ROWS}"
    with_few = ((looked_up, known.few_rows), (matched, known.few_matched))
    rows, found = (f"(CASE WHEN {few} THEN {own} + {more} ELSE {own} END)" for own, more in with_few)
    return rows, found


def within(rows: str, matched: str, floor: str, ceiling: str) -> str:
    """SQL: whether so many matches are within a band, as nearly as whole rows can be. (A billionth, since 0.29 of 100
    is a little less than 29.)"""
    least, most = f"floor({floor} * {rows} + 1e-9)", f"ceil({ceiling} * {rows} - 1e-9)"
    return f"{matched} BETWEEN {least} AND {most}"
