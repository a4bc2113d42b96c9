"""Reference tables of addresses: standard words, phrases that are no address, ZIP codes. Each file names its source."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DATA = Path(__file__).parent / "data"


def read(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a reference file: CSV with a header, after comment lines that begin with `#`."""
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(line for line in stream if not line.startswith("#"))


@cache
def standard(name: str) -> dict[str, str]:
    """Written form → standard form, of the file `name`.csv."""
    return {row["written"]: row["standard"] for row in read(DATA / f"{name}.csv")}


@cache
def phrases(name: str, column: str = "", value: str = "") -> tuple[str, ...]:
    """The phrases of `name`.csv, or those whose `column` is `value`."""
    rows = read(DATA / f"{name}.csv")
    return tuple(row["phrase"] for row in rows if not column or row[column] == value)


@cache
def plain(city: str) -> str:
    """A city name in the letters that a cleaned request can have."""
    clean = "".join(c if c.isalnum() or c in "/&-" else " " for c in city.upper().replace("'", "").replace(".", ""))
    return " ".join(clean.split())


@cache
def zip_table() -> pa.Table:
    """ZIP codes in use and out of use, as `zips.made` derives them from the package `zipcodes`: zip, state, type,
    active, city (its own), cities (every spelling, longest first), tails (the cities as they end a line), tail (see
    there)."""
    return pq.read_table(DATA / "zips.parquet")


@cache
def zip_rows() -> tuple[dict[str, Any], ...]:
    """`zip_table` as dicts, for code that goes row by row."""
    return tuple(zip_table().select(["zip", "state", "type", "active", "cities"]).to_pylist())


@cache
def zip_list_table() -> pa.Table:
    """Those rows of `zip_table` that name more cities than the ZIP's own."""
    return zip_table().filter(pc.list_value_length(pc.field("cities")) > 1)


@cache
def city_table(words: int) -> pa.Table:
    """The cities of every state whose names have so many words (columns `city`, `state`): a city that is real, though
    not in the ZIP's list."""
    cities = pq.read_table(DATA / "cities.parquet")
    return cities.filter(pc.equal(pc.count_substring(cities["city"], " "), words - 1))


# A trailing letter or number after these is the road's own, not a unit: COUNTY RD A, LOOP 410.
NUMBERED = frozenset(["RD", "HWY", "RTE", "LOOP", "EXPY", "SPUR", "BYP", "PIKE", "FWY", "TRL"])
# Suffixes that are no name by themselves: "123 ST" has no street.
NEVER_A_NAME = frozenset(
    ["ST", "AVE", "RD", "DR", "LN", "CT", "BLVD", "PL", "WAY", "CIR", "TER", "PKWY", "HWY", "RTE", "TRL", "LOOP"]
)


@cache
def word_table() -> pa.Table:
    """Words that mean something in a delivery line: directional, suffix, ordinal, primary number, road (a highway's
    name of one word), and what they are: bare (a suffix that is no name), ends (a suffix after which a letter is a
    unit), begins (the first word of a highway's name of two)."""
    columns = {
        "dir": standard("directionals"),
        "suffix": standard("suffixes"),
        "ordinal": standard("ordinals"),
        "spelled": standard("numbers"),
        "road": {w: s for w, s in standard("highways").items() if " " not in w},
    }
    flags = {
        "bare": {w for w, s in standard("suffixes").items() if s in NEVER_A_NAME},
        "ends": {w for w, s in standard("suffixes").items() if s in NEVER_A_NAME - NUMBERED},
        "begins": {w.split()[0] for w in standard("highways") if " " in w},
    }
    words = sorted(set().union(*columns.values(), *flags.values()))
    texts = {n: pa.array([v.get(w) for w in words], pa.string()) for n, v in columns.items()}
    return pa.table({"word": words} | texts | {n: [w in v for w in words] for n, v in flags.items()})


@cache
def state_table() -> pa.Table:
    """States as written (columns written, standard), and whether a name of several words ends in it (ends): of such a
    last word, `standard` may be null."""
    names = standard("states")
    last = {n.split()[-1] for n in names if " " in n}
    written = sorted({*names, *last})
    standards = pa.array([names.get(w) for w in written], pa.string())
    return pa.table({"written": written, "standard": standards, "ends": [w in last for w in written]})


def mapping_table(name: str) -> pa.Table:
    """A written → standard file as a table."""
    rows = standard(name)
    return pa.table({"written": list(rows), "standard": list(rows.values())})
