"""Derives the ZIP reference from the package `zipcodes`: `python -m expectations.address.zips` writes both files.

The package takes more than a second to list its ZIP codes, in every process. A test holds the files against it, so that
a new version of the package cannot be forgotten.
"""

from functools import cache
from itertools import permutations
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zipcodes

from expectations.address.reference import DATA, plain

# The ZIP's list holds one spelling of a city; requests hold the others (Publication 28, 223 and appendix B).
_BEFORE = "SAINT=ST SAINTE=STE FORT=FT MOUNT=MT NORTH=N SOUTH=S EAST=E WEST=W"
_AFTER = "HEIGHTS=HTS SPRINGS=SPGS BEACH=BCH TOWNSHIP=TWP BEACH=BH TOWNSHIP=TW"


@cache
def spellings(city: str) -> set[str]:
    """A city as it may be written: in full, and with each standard abbreviation."""
    found = {city}
    for pair in _BEFORE.split():
        for old, new in permutations(pair.split("=")):
            found |= {new + name[len(old) :] for name in found if name.startswith(f"{old} ")}
    for pair in _AFTER.split():
        for old, new in permutations(pair.split("=")):
            found |= {name[: -len(old)] + new for name in found if name.endswith(f" {old}")}
    return found


def _zip_row(entry: dict[str, Any]) -> dict[str, Any]:
    names = [entry["city"], *entry["acceptable_cities"], *entry["unacceptable_cities"]]
    # a "city" without two letters (there are such entries) would let a number pass for a city
    usable = {p for p in map(plain, names) if sum(c.isalpha() for c in p) > 1}
    cities = sorted({s for p in usable for s in spellings(p)}, key=lambda c: (-len(c), c))
    return {
        "zip": entry["zip_code"],
        "state": entry["state"],
        "type": entry["zip_code_type"],
        "active": bool(entry["active"]),
        "city": plain(entry["city"]),
        "cities": cities,
    }


def made() -> tuple[pa.Table, pa.Table]:
    """ZIP codes, and the cities of each state (city, state).

    `tails`: the cities with a space before, as they end a line; `city`, `tail`: the ZIP's own city, which most rows
    have (`tail` is null where another city ends in it: the longest must win).
    """
    rows = [_zip_row(entry) for entry in zipcodes.list_all()]
    tails = [[f" {c}" for c in r["cities"]] for r in rows]
    own = [
        None if any(t != f" {r['city']}" and t.endswith(f" {r['city']}") for t in ts) else f" {r['city']}"
        for r, ts in zip(rows, tails, strict=True)
    ]
    names = ("zip", "state", "type", "active", "city", "cities")
    codes = pa.table({n: [r[n] for r in rows] for n in names} | {"tails": tails, "tail": own})
    pairs = sorted({(c, r["state"]) for r in rows for c in r["cities"] if r["type"] != "MILITARY"})
    return codes, pa.table({"city": [c for c, _ in pairs], "state": [s for _, s in pairs]})


if __name__ == "__main__":
    for name, table in zip(("zips", "cities"), made(), strict=True):
        pq.write_table(table, DATA / f"{name}.parquet", compression="zstd")
