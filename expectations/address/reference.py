"""Reference tables of addresses: standard words, phrases that are no address, ZIP codes. Each file names its source."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.errors import BadInput

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


def operator_phrases(path: Path) -> tuple[str, ...]:
    """The column `phrase` of an operator's list, made plain; raises BadInput if there is none."""
    try:
        found = tuple(p for row in read(path) if (p := plain(row["phrase"] or "")))
    except (OSError, UnicodeDecodeError, KeyError, csv.Error):
        raise BadInput(
            "FACILITIES_UNREADABLE",
            "the list of facilities cannot be read",
            where=path.name,
            remedy="Write a CSV in UTF-8 with a column called phrase.",
        ) from None
    if not found:
        raise BadInput(
            "FACILITIES_UNREADABLE",
            "the list of facilities is empty",
            where=path.name,
            remedy="Fill it, or leave it out.",
        )
    return found


@cache
def plain(city: str) -> str:
    """A city name in the letters that a cleaned request can have."""
    kept = "".join(c if c.isalnum() or c in "/&-" else " " for c in city.upper().replace("'", "").replace(".", ""))
    return " ".join(kept.split())


@cache
def zip_table() -> pa.Table:
    """ZIP codes in use and out of use, as `zips.made` derives them from the package `zipcodes`: zip, state, type, active,
    city (its own), cities (every spelling, longest first), tails (the cities as they end a line), tail (see there)."""
    return pq.read_table(DATA / "zips.parquet")


@cache
def zip_rows() -> tuple[dict[str, Any], ...]:
    """`zip_table` as dicts, for code that goes row by row."""
    return tuple(zip_table().select(["zip", "state", "type", "active", "cities"]).to_pylist())


@cache
def city_table() -> pa.Table:
    """Every city of every state (columns `city`, `state`): a city that is real, though not in the ZIP's list."""
    return pq.read_table(DATA / "cities.parquet")


@cache
def word_table() -> pa.Table:
    """Words that mean something in a delivery line: directional, suffix, ordinal and primary number."""
    columns = {
        "dir": standard("directionals"),
        "suffix": standard("suffixes"),
        "ordinal": standard("ordinals"),
        "spelled": standard("numbers"),
    }
    words = sorted(set().union(*columns.values()))
    return pa.table({"word": words} | {n: pa.array([v.get(w) for w in words], pa.string()) for n, v in columns.items()})


def mapping_table(name: str) -> pa.Table:
    """A written → standard file as a table."""
    rows = standard(name)
    return pa.table({"written": list(rows), "standard": list(rows.values())})
