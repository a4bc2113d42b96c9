"""The band of the match rate: when earlier batches narrow it, and that they can do nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from statistics import stdev
from typing import Any

import duckdb
import pytest

from expectations.base import duck
from expectations.facts import band

LARGE = 1_000_000
AGREED = (0.10, 0.98)
Batches = list[tuple[int, int]]


def rates(*matched: int, looked_up: int = 1000) -> Batches:
    """A batch for each: of `looked_up` rows, so many matched."""
    return [(looked_up, m) for m in matched]


VARIED = [440, 460, 480, 490, 500, 500, 510, 520, 540, 560]  # mean 0.5
S = stdev([m / 1000 for m in VARIED])

# name | agreed | earlier batches | rows looked up | band
TABLE: list[tuple[str, tuple[float, float], Batches, int, tuple[float, float]]] = [
    ("nothing is known", AGREED, [], LARGE, AGREED),
    ("nine are not enough", AGREED, rates(*[500] * 9), LARGE, AGREED),
    ("nor ten of which one looked nothing up", AGREED, [*rates(*[500] * 9), (0, 0)], LARGE, AGREED),
    ("ten are: all alike, a hundredth four times", AGREED, rates(*[500] * 10), LARGE, (0.46, 0.54)),
    ("four standard deviations", AGREED, rates(*VARIED), LARGE, (0.5 - 4 * S, 0.5 + 4 * S)),
    (
        "each batch counts once, whatever its size",
        AGREED,
        [*rates(*[500] * 5), *rates(*[50000] * 5, looked_up=100000)],
        LARGE,
        (0.46, 0.54),
    ),
    (
        "chance in a batch of this size, and in those before",
        AGREED,
        rates(*[500] * 10),
        396,
        (0.5 - 4 * (0.000625 + 0.000025) ** 0.5, 0.5 + 4 * (0.000625 + 0.000025) ** 0.5),
    ),
    ("ten rows that all matched show little", (0.0, 1.0), [(1, 1)] * 10, LARGE, (1 - 4 * (1.2 / 9.8 / 10) ** 0.5, 1.0)),
    (
        "chance counts where all matched before",
        (0.0, 1.0),
        rates(*[1000] * 10),
        12,
        (1 - 4 * (0.875 * 0.125 / 16) ** 0.5, 1.0),
    ),
    ("and where nothing did", (0.0, 1.0), rates(*[0] * 10), 12, (0.0, 4 * (0.875 * 0.125 / 16) ** 0.5)),
    ("a batch of nothing", AGREED, rates(*[500] * 10), 0, AGREED),
    ("not above the agreement's ceiling", AGREED, rates(*[970] * 10), LARGE, (0.93, 0.98)),
    ("not below its floor", AGREED, rates(*[110] * 10), LARGE, (0.10, 0.15)),
    ("spread wider than the band", AGREED, rates(*[0, 1000] * 5), LARGE, AGREED),
    ("mean above the band: what is nearest to it", AGREED, rates(*[1000] * 10), LARGE, (0.94, 0.98)),
    ("mean below it", (0.30, 0.98), rates(*[100] * 10), LARGE, (0.30, 0.34)),
    ("a band of one rate", (0.50, 0.50), rates(*VARIED), LARGE, (0.50, 0.50)),
]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        yield connection


def applied(
    con: duckdb.DuckDBPyConnection, agreed: tuple[float, float], batches: Batches, looked_up: int
) -> tuple[Any, ...]:
    floor, ceiling = band.sql(agreed, band.learnt(batches), "looked_up")
    return con.execute(f"SELECT {floor}, {ceiling} FROM (SELECT {looked_up}::BIGINT AS looked_up)").fetchall()[0]


@pytest.mark.parametrize(
    ("agreed", "batches", "looked_up", "expected"), [t[1:] for t in TABLE], ids=[t[0] for t in TABLE]
)
def test_the_band(
    con: duckdb.DuckDBPyConnection,
    agreed: tuple[float, float],
    batches: Batches,
    looked_up: int,
    expected: tuple[float, float],
) -> None:
    assert applied(con, agreed, batches, looked_up) == pytest.approx(expected, abs=1e-4)


def test_it_never_widens_and_never_closes(con: duckdb.DuckDBPyConnection) -> None:
    for agreed, rate, looked_up in product(
        [(0.0, 1.0), (0.1, 0.98), (0.5, 0.5), (0.9, 1.0)], [0, 1, 95, 500, 999, 1000], [1, 30, LARGE]
    ):
        floor, ceiling = applied(con, agreed, rates(*[rate] * 10), looked_up)
        assert agreed[0] <= floor <= ceiling <= agreed[1]
        assert ceiling - floor >= min(band.WIDTHS * band.LEAST, agreed[1] - agreed[0]) - 1e-9


def test_more_rows_never_make_it_wider(con: duckdb.DuckDBPyConnection) -> None:
    for rate in (0, 20, 500, 990, 1000):
        widths = [c - f for f, c in (applied(con, (0.0, 1.0), rates(*[rate] * 10), n) for n in (5, 50, 500, LARGE))]
        assert widths == sorted(widths, reverse=True)


def passes(con: duckdb.DuckDBPyConnection, before: Batches, looked_up: int, matched: int) -> bool:
    rows, found = band.pooled(band.learnt(before[: band.NEWEST]), str(looked_up), str(matched))
    return bool(con.execute(f"SELECT {band.within(rows, found, '0.005', '0.98')}").fetchall()[0][0])


def test_a_batch_of_one_row_may_find_nobody_or_its_person(con: duckdb.DuckDBPyConnection) -> None:
    for matched in (0, 1):
        assert passes(con, [], 1, matched)
    assert not passes(con, [], 100, 99)
    assert passes(con, [], 100, 98)


@pytest.mark.parametrize("size", [1, 7, 49])
def test_a_harvest_cut_into_small_batches_is_held_all_the_same(con: duckdb.DuckDBPyConnection, size: int) -> None:
    """What the agreement's ceiling stops in one batch, it stops in many; and a batch of nothing is no harvest."""
    assert passes(con, [], size, size)
    assert not passes(con, [(size, size)] * 100, size, size)
    assert passes(con, [(size, size)] * 100, 0, 0)
    # a large batch is judged by itself, and small ones are not judged by it
    assert passes(con, [(size, size)] * 100, 100, 50)
    assert passes(con, [(LARGE, LARGE)], size, size)
