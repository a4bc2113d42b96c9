"""What made-up people are drawn from: census names, streets, and the places of the ZIP table, as temporary tables."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import zipcodes

from expectations import duck
from pipelines.simulate.chance import alias

NAMES = Path(__file__).parent / "names"
NICKNAMES = NAMES.parents[1] / "match" / "nicknames.csv"  # the list that the match knows
HISPANIC = 60.0  # a surname that this share of its bearers (percent, census) call Hispanic may come with a second one
STREET_SURNAMES = 1_200  # the most frequent surnames also name streets


@lru_cache(maxsize=1)
def tables() -> tuple[dict[str, pa.Table], dict[str, int]]:
    """The reference tables and their sizes: `given` (men, then women), `surnames` (all, then Hispanic), `streets`, `places`.

    A place or street stands as often as its weight, so that an even choice of a row is a weighted choice.
    """
    with duck.session(duck.DuckSettings(threads=1, preserve_order=True)) as connection:
        given = _census(connection, "first_names_2020", "pct_male, pct_hispanic")
        surnames = _census(connection, "surnames_2020", "pct_hispanic")
        streets = _streets(connection, [name for name, *_ in surnames])
    men = [(n, c * (m or 0) / 100) for n, c, m, _ in given if (m or 0) > 0]
    women = [(n, c * (100 - (m or 0)) / 100) for n, c, m, _ in given if (m or 0) < 100]
    everyone = [(n, float(c), (h or 0) >= HISPANIC) for n, c, h in surnames]
    hispanic = [row for row in everyone if row[2]]
    places, counts = _places()
    found = {
        "given": _stack([men, women]),
        "surnames": _stack([everyone, hispanic]),
        "streets": pa.table({"slot": pa.array(range(len(streets)), pa.int32()), "street": streets}),
        "places": places,
    }
    sizes = {
        "men": len(men),
        "women": len(women),
        "surnames": len(everyone),
        "hispanic": len(hispanic),
        "streets": len(streets),
        **counts,
    }
    return found, sizes


def load(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Makes the temporary tables on a connection; returns their sizes."""
    found, sizes = tables()
    for name, table in found.items():
        connection.register("reference_rows", table)
        connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM reference_rows ORDER BY slot")
        connection.unregister("reference_rows")
    return sizes


def _census(connection: duckdb.DuckDBPyConnection, file: str, columns: str) -> list[tuple[Any, ...]]:
    path = duck.quote(str(NAMES / f"{file}.parquet"))
    return connection.execute(
        f"SELECT name, count, {columns} FROM {path} WHERE name <> 'ALL OTHER NAMES' AND length(name) > 1 ORDER BY count DESC, name"
    ).fetchall()


def _stack(groups: list[list[Any]]) -> pa.Table:
    """Several weighted lists, one after the other, as one table with alias columns (see chance.alias)."""
    names, others, keeps, marks, other_marks = [], [], [], [], []
    for group in groups:
        keep, other = alias([row[1] for row in group])
        names += [row[0] for row in group]
        others += [group[i][0] for i in other]
        keeps += keep
        marks += [bool(row[2:] and row[2]) for row in group]
        other_marks += [bool(group[i][2:] and group[i][2]) for i in other]
    return pa.table(
        {
            "slot": pa.array(range(len(names)), pa.int32()),
            "name": names,
            "other": others,
            "keep": pa.array(keeps, pa.uint64()),
            "hispanic": marks,
            "other_hispanic": other_marks,
        }
    )


def _streets(connection: duckdb.DuckDBPyConnection, surnames: list[str]) -> list[str]:
    path = duck.quote(str(NAMES / "streets.csv"))
    common = connection.execute(f"SELECT street, weight FROM read_csv({path}) ORDER BY weight DESC, street").fetchall()
    numbered = [(f"{n}{_ordinal(n)}", max(1, 12 - n // 8)) for n in range(1, 100)]
    # surnames that read as a suffix, a direction or a unit: a street of that name would parse as something else
    confusing = connection.execute(f"FROM read_csv({duck.quote(str(NAMES / 'not_streets.csv'))})").fetchall()
    known = {row[0] for row in [*common, *confusing]}
    named = [(s, 1) for s in surnames[:STREET_SURNAMES] if s not in known]
    return list(itertools.chain.from_iterable([s] * w for s, w in [*common, *numbered, *named]))


def _ordinal(n: int) -> str:
    return "TH" if 10 <= n % 100 <= 20 else {1: "ST", 2: "ND", 3: "RD"}.get(n % 10, "TH")


def _places() -> tuple[pa.Table, dict[str, int]]:
    """ZIPs of the states, then Puerto Rico's, then military ones; a ZIP weighs the more, the more ZIPs its county has."""
    active = [z for z in zipcodes.list_all() if z["active"]]
    standard = [z for z in active if z["zip_code_type"] == "STANDARD" and z["city"]]
    island = [z for z in standard if z["state"] == "PR"]
    states = [z for z in standard if z["state"] not in ("PR", "VI", "GU", "AS", "MP", "FM", "MH", "PW") and z["county"]]
    military = [z for z in active if z["zip_code_type"] == "MILITARY" and z["city"].upper() in ("APO", "FPO", "DPO")]
    crowd = Counter((z["county"], z["state"]) for z in states)
    rows: list[tuple[str, str, str, int]] = []
    counts = {}
    for name, group in (("states", states), ("island", island), ("military", military)):
        before = len(rows)
        for z in sorted(group, key=lambda z: z["zip_code"]):
            rows += _repeated(z, 1 + min(30, crowd[(z["county"], z["state"])] // 6))
        counts[name] = len(rows) - before
    zips, cities, states_, weights = zip(*rows, strict=True)
    slots = pa.array(range(len(rows)), pa.int32())
    return pa.table(
        {"slot": slots, "zip": zips, "city": cities, "state": states_, "weight": pa.array(weights, pa.int32())}
    ), counts


def _repeated(place: dict[str, Any], weight: int) -> Iterator[tuple[str, str, str, int]]:
    return itertools.repeat((place["zip_code"], place["city"].upper(), place["state"], weight), weight)
