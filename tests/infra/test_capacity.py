"""The sums on the page about capacity, done again from the measured figures and the assumed prices that stand there."""

from __future__ import annotations

import re
from math import ceil

import pytest

from tests.factories.paths import ROOT

PAGE = (ROOT / "infra/docs/capacity.md").read_text()
ROWS = {
    line.split("|")[1].strip(): [c.strip() for c in line.split("|")[2:-1]]
    for line in re.findall(r"^\|.*\|$", PAGE, re.M)
}
LOADS = (1.28e6, 160e6, 1e9)
LARGEST = 1.28e6  # rows of a batch


def first(text: str) -> float:
    """The first number of a cell, in its own unit."""
    return float(re.search(r"[\d.,]+", text)[0].replace(",", ""))  # type: ignore[index]


def measured(figure: str) -> float:
    """The first number of the measured value of this figure."""
    (value,) = re.findall(rf"^\| [^|]+ \| {re.escape(figure)}[^|]* \| ([^|]+) \|", PAGE, re.M)
    return first(value)


BATCHES = [ceil(rows / LARGEST) for rows in LOADS]
SECONDS = [rows / LARGEST * measured("1.28 million rows against 160 million persons, receipt") for rows in LOADS]
CORES = [ceil(seconds / 3600 / 6) for seconds in SECONDS]
WORKERS = [ceil(cores / 2) for cores in CORES]
HOURS = 3600
LOCKED = first(ROWS["claims, one after the other under the publication lock"][0])
GB = {
    "batches in flight, their parts on the shared volume": [
        w * LARGEST * measured("parts in flight") / 1e9 for w in WORKERS
    ],
    "register on that volume, two versions": [2 * measured("on disk, prepared") / 1e3] * 3,
    "evidence and accounting, kept (260 bytes a row)": [rows * 260 / 1e9 for rows in LOADS],
    "packages in the outbox": [rows * measured("package") / 1e9 for rows in LOADS],
    "ledger, if every row is released": [rows * measured("ledger") / 1e9 for rows in LOADS],
}
PARTS, REGISTER, EVIDENCE, PACKAGES, LEDGER = GB.values()
VOLUME = [sum(three) for three in zip(PARTS, REGISTER, LEDGER, strict=True)]
STORED = [sum(two) for two in zip(EVIDENCE, PACKAGES, strict=True)]
SUMS: dict[str, list[float]] = {
    "batches": [float(n) for n in BATCHES],
    "hours of one core": [s / HOURS for s in SECONDS],
    "cores, to be done in one night of six hours": [float(n) for n in CORES],
    "workers of two cores": [float(n) for n in WORKERS],
    "memory of all workers (3 GB each)": [3.0 * n for n in WORKERS],
    **GB,
    "workers, once": [s / HOURS * first(ROWS["a core for an hour, with 2 GB of memory"][0]) for s in SECONDS],
    "shared volume and the ledger's disk, a month": [
        v * first(ROWS["a GB of shared volume for a month"][0]) for v in VOLUME
    ],
    "evidence, accounting and packages in an object store, a month": [
        s * first(ROWS["a GB of object store for a month"][0]) for s in STORED
    ],
}


@pytest.mark.parametrize("what", SUMS)
def test_a_sum_is_what_it_says(what: str) -> None:
    shown = [first(cell) for cell in ROWS[what]]
    # rounded as people read it: two digits, and no finer than a cent or a tenth
    assert shown == pytest.approx(SUMS[what], rel=0.06, abs=0.06 if "GB" in ROWS[what][0] else 0.006)


def test_the_time_under_the_lock_is_that_of_all_batches() -> None:
    _, minutes, hours = ROWS["claims, one after the other under the publication lock"]
    assert first(minutes) == pytest.approx(BATCHES[1] * LOCKED / 60, rel=0.06)
    assert first(hours) == pytest.approx(BATCHES[2] * LOCKED / HOURS, rel=0.06)


def test_what_was_measured_stands_in_a_file_of_results() -> None:
    results: dict[str, str] = {}
    for path in (ROOT / "tests/bench/results").glob("*.txt"):  # a bench that was run on several days has several
        name = path.name.split("-2026")[0]
        results[name] = results.get(name, "") + path.read_text()
    stated = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \| `([a-z]+)` \|", PAGE, re.M)
    assert len(stated) >= 7
    for value, name in stated:
        for number in re.findall(r"\d[\d,]*\.?\d*", re.sub(r"\(.*?\)|threads", "", value)):
            known = number in results[name] or number in DERIVED
            assert known, (number, name)


# the median of ten, and bytes for each row: 199 MB of 1.25 million, 130 MB of 500,000
DERIVED = ("151.8", "160", "260")
