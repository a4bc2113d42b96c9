"""What made-up people are drawn from: census names, streets, and the places of the ZIP table, as temporary tables."""

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import zipcodes

from expectations.base import duck
from expectations.names import given as given_names
from pipelines.simulate.chance import alias
from pipelines.simulate.tables import put

NAMES = Path(__file__).parent / "names"
NICKNAMES = NAMES.parents[1] / "match" / "nicknames.csv"  # the list that the match knows
HISPANIC = 60.0  # a surname that this share of its bearers (percent, census) call Hispanic may come with a second one
STREET_SURNAMES = 1_200  # the most frequent surnames also name streets


@lru_cache(maxsize=1)
def tables() -> tuple[dict[str, pa.Table], dict[str, int]]:
    """`given` (men, then women), `surnames` (all, then Hispanic), `streets`, `places`; and the sizes of their parts.

    A place or street is listed as often as its weight, so that an even choice of a row is a weighted choice.
    """
    with duck.session(duck.DuckSettings(threads=1, preserve_order=True)) as connection:
        given = _census(connection, given_names.LISTED, "pct_male, pct_hispanic")
        surnames = _census(connection, NAMES / "surnames_2020.parquet", "pct_hispanic")
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
    sizes = {"men": len(men), "women": len(women), "surnames": len(everyone), "hispanic": len(hispanic)}
    return found, sizes | {"streets": len(streets)} | counts


def load(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Makes the temporary tables on a connection; returns their sizes."""
    found, sizes = tables()
    for name, table in found.items():
        put(connection, name, table, "slot")
    return sizes


def _census(connection: duckdb.DuckDBPyConnection, file: Path, columns: str) -> list[tuple[Any, ...]]:
    usable = f"name <> '{given_names.ALL_OTHERS}' AND length(name) > 1"
    query = f"SELECT name, count, {columns} FROM {duck.quote(str(file))} WHERE {usable} ORDER BY count DESC, name"
    return connection.execute(query).fetchall()


def _stack(groups: list[list[Any]]) -> pa.Table:
    """Several weighted lists, one after the other, as one table with alias columns (see chance.alias)."""
    rows: list[tuple[str, str, int, bool, bool]] = []
    for group in groups:
        marked = [bool(row[2:] and row[2]) for row in group]
        keep, other = alias([row[1] for row in group])
        rows += [(group[i][0], group[o][0], keep[i], marked[i], marked[o]) for i, o in enumerate(other)]
    names, others, keeps, marks, other_marks = zip(*rows, strict=True)
    slots, kept = pa.array(range(len(rows)), pa.int32()), pa.array(keeps, pa.uint64())
    columns = {"slot": slots, "name": names, "other": others, "keep": kept, "hispanic": marks}
    return pa.table({**columns, "other_hispanic": other_marks})


def _streets(connection: duckdb.DuckDBPyConnection, surnames: list[str]) -> list[str]:
    path = duck.quote(str(NAMES / "streets.csv"))
    common = connection.execute(f"SELECT street, weight FROM read_csv({path}) ORDER BY weight DESC, street").fetchall()
    numbered = [(f"{n}{_ordinal(n)}", max(1, 12 - n // 8)) for n in range(1, 100)]
    # surnames that read as a suffix, a direction or a unit: a street of that name would parse as something else
    confusing = connection.execute(f"FROM read_csv({duck.quote(str(NAMES / 'not_streets.csv'))})").fetchall()
    known = {row[0] for row in [*common, *confusing]}
    named = [(s, 1) for s in surnames[:STREET_SURNAMES] if s not in known]
    return [s for s, weight in [*common, *numbered, *named] for _ in range(weight)]


def _ordinal(n: int) -> str:
    return "TH" if 10 <= n % 100 <= 20 else {1: "ST", 2: "ND", 3: "RD"}.get(n % 10, "TH")


def _places() -> tuple[pa.Table, dict[str, int]]:
    """ZIPs of the states, then Puerto Rico's, then military; a ZIP weighs the more, the more ZIPs its county has."""
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
            weight = 1 + min(30, crowd[(z["county"], z["state"])] // 6)
            rows += [(z["zip_code"], z["city"].upper(), z["state"], weight)] * weight
        counts[name] = len(rows) - before
    zips, cities, of_state, weights = zip(*rows, strict=True)
    slots, weighed = (pa.array(column, pa.int32()) for column in (range(len(rows)), weights))
    return pa.table({"slot": slots, "zip": zips, "city": cities, "state": of_state, "weight": weighed}), counts
