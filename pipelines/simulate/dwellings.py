"""Where made-up people live: one SELECT that turns a dwelling's number into its address.

A dwelling's address depends on (seed, number) only, so that a current home, an earlier one and a neighbour's are all
found without a look-up. Of each hundred dwellings 28 are units of buildings, which share number, street and ZIP. Houses
never have a number that ends in 0, buildings always do: no house shares the address of a building by accident.
"""

import random
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.simulate import tables
from pipelines.simulate.chance import Chance

BLOCK = 100  # dwellings of a block
PLANS = 16  # ways to lay out a block
IN_BUILDINGS = ((2, 2, 3, 5, 16), (4, 24), (8, 8, 12), (28,), (2, 2, 2, 2, 4, 6, 10), (3, 3, 6, 16))  # each sums to 28
PO_BOX, RURAL, MILITARY, ISLAND = 0.035, 0.02, 0.004, 0.016  # shares of the dwellings that are no units

_SUFFIXES = ("ST", "AVE", "DR", "LN", "RD", "CT", "BLVD", "WAY", "PL", "CIR", "TER", "PKWY", "TRL", "LOOP")
_WEIGHTS = (22, 18, 15, 9, 14, 8, 4, 3, 4, 4, 2, 1, 1, 1)  # how many of a hundred streets
SUFFIXES = [suffix for suffix, weight in zip(_SUFFIXES, _WEIGHTS, strict=True) for _ in range(weight)]
DIRECTIONS = [""] * 70 + ["N "] * 7 + ["S "] * 7 + ["E "] * 7 + ["W "] * 6 + ["NE ", "NW ", "SE "]
URBANIZATIONS = (Path(__file__).parent / "names" / "urbanizations.txt").read_text().splitlines()
_CALLES = ("A", "B", "LUNA", "SOL", "FLAMBOYAN", "ROBLE", "CEDRO", "VIOLETA", "MARGARITA", "DALIA", "1", "2", "5", "14")
CALLES = [f"CALLE {name}" for name in _CALLES]


def setup(connection: duckdb.DuckDBPyConnection, seed: str) -> None:
    """Makes `building_plans`: key (plan * BLOCK + place in the block), first (place of the first unit), unit from 1."""
    dice = random.Random(f"{seed}|buildings")
    rows = []
    for plan in range(PLANS):
        sizes = IN_BUILDINGS[dice.randrange(len(IN_BUILDINGS))]
        place = dice.randrange(BLOCK - 28)
        for size in sizes:
            rows += [(plan * BLOCK + place + unit, place, unit + 1) for unit in range(size)]
            place += size
    keys, firsts, units = zip(*rows, strict=True)
    plans = pa.table({"plan_key": pa.array(keys, pa.int32()), "first": firsts, "unit_no": units})
    tables.put(connection, "building_plans", plans, "plan_key")


def addresses(relation: str, chance: Chance, sizes: dict[str, int]) -> str:
    """SQL: `relation.*` (with `dwelling`, an integer) with a complete street, unit, urbanization, city, state, zip."""
    c = chance
    plan = c.below(f"(dwelling // {BLOCK})", "plan", PLANS)
    return f"""
    WITH laid AS (
      SELECT r.*, b.unit_no, CASE WHEN b.unit_no IS NULL THEN dwelling
        ELSE dwelling // {BLOCK} * {BLOCK} + b.first END AS site
      FROM {relation} r LEFT JOIN building_plans b ON b.plan_key =
        CAST({plan} * {BLOCK} + dwelling % {BLOCK} AS INTEGER)
    ), kinds AS (
      SELECT *, CASE WHEN unit_no IS NOT NULL THEN 'unit' ELSE {_kind(c)} END AS kind FROM laid
    ), chosen AS (
      -- a column, not an expression in the join: as one, DuckDB multiplies the tables out and filters
      SELECT *, CAST(CASE kind
        WHEN 'island' THEN {sizes["states"]} + {c.below("site", "place", sizes["island"])}
        WHEN 'military' THEN {sizes["states"] + sizes["island"]} + {c.below("site", "place", sizes["military"])}
        ELSE {c.below("site", "place", sizes["states"])} END AS INTEGER) AS place_slot
      FROM kinds
    ), placed AS (
      SELECT k.*, p.zip AS zip5, p.city, p.state, p.weight FROM chosen k JOIN places p ON p.slot = k.place_slot
    ), roads AS (
      -- the few first streets of a ZIP are the long ones: the square of an even draw favours them
      SELECT *, CAST(zip5 AS BIGINT) * 1000
          + CAST(floor(pow({c.share("site", "road")}, 2) * (20 + 8 * weight)) AS BIGINT) AS road,
        CAST(exp({c.share("site", "number")} * 7.2) AS BIGINT) AS tens
      FROM placed
    ), numbered AS (
      SELECT *, CASE WHEN kind = 'unit' THEN 10 * (1 + tens) ELSE 10 * tens + 1 + {c.below("site", "digit", 9)} END
        AS number,
        CAST({c.below("road", "street", sizes["streets"])} AS INTEGER) AS street_slot
      FROM roads
    )
    SELECT n.* EXCLUDE (unit_no, site, kind, zip5, city, state, weight, place_slot, road, tens, number, street_slot),
      {_street(c)} AS street,
      {_unit(c)} AS unit,
      CASE WHEN kind = 'island' AND {c.happens("site", "urb", 0.7)} 
        THEN 'URB ' || {c.one_of("site", "urbanization", URBANIZATIONS)} END AS urbanization,
      n.city, n.state,
      zip5 || CASE WHEN kind <> 'military' AND {c.happens("site", "plus four", 0.35)}
        THEN '-' || CAST(1000 + {c.below("site", "four", 8900)} AS VARCHAR) ELSE '' END AS zip
    FROM numbered n JOIN streets s ON s.slot = n.street_slot"""


def _kind(c: Chance) -> str:
    box, rural, military = PO_BOX, PO_BOX + RURAL, PO_BOX + RURAL + MILITARY
    u = c.share("dwelling", "kind")
    return f"""CASE WHEN {u} < {box} THEN 'box' WHEN {u} < {rural} THEN 'rural' WHEN {u} < {military} THEN 'military'
          WHEN {u} < {military + ISLAND} THEN 'island' ELSE 'house' END"""


def _street(c: Chance) -> str:
    box = f"CAST(number * 3 + {c.below('site', 'box', 3)} AS VARCHAR)"
    calles = c.one_of("road", "calle", CALLES)
    route = f"""CASE WHEN {c.happens("road", "contract", 0.3)} THEN 'HC ' ELSE 'RR ' END
          || CAST(1 + {c.below("road", "route", 9)} AS VARCHAR)"""
    post = (
        f"CASE {c.below('site', 'post', 3)} WHEN 0 THEN 'PSC ' || CAST(1 + {c.below('road', 'psc', 900)} AS VARCHAR)"
        f" WHEN 1 THEN 'CMR ' || CAST(400 + {c.below('road', 'cmr', 90)} AS VARCHAR)"
        f" ELSE 'UNIT ' || CAST(2000 + {c.below('road', 'post unit', 60000)} AS VARCHAR) END"
    )
    line = f"{c.one_of('road', 'direction', DIRECTIONS)} || s.street || ' ' || {c.one_of('road', 'suffix', SUFFIXES)}"
    return f"""CASE kind WHEN 'box' THEN 'PO BOX ' || {box} WHEN 'rural' THEN {route} || ' BOX ' || {box}
          WHEN 'military' THEN {post} || ' BOX ' || {box}
          WHEN 'island' THEN CAST(number % 1000 + 1 AS VARCHAR) || ' ' || {calles}
          ELSE CAST(number AS VARCHAR) || ' ' || {line} END"""


def _unit(c: Chance) -> str:
    """Each building numbers its units in one style."""
    return f"""CASE WHEN unit_no IS NULL THEN NULL ELSE CASE {c.below("site", "unit style", 5)}
      WHEN 0 THEN 'APT ' || CAST(unit_no AS VARCHAR)
      WHEN 1 THEN 'APT ' || CAST((unit_no - 1) // 4 + 1 AS VARCHAR)
        || substr('ABCD', CAST((unit_no - 1) % 4 + 1 AS BIGINT), 1)
      WHEN 2 THEN 'UNIT ' || CAST(100 * ((unit_no - 1) // 6 + 1) + (unit_no - 1) % 6 + 1 AS VARCHAR)
      WHEN 3 THEN 'APT ' || CASE WHEN unit_no <= 26 THEN chr(CAST(64 + unit_no AS INTEGER))
        ELSE CAST(unit_no AS VARCHAR) END
      ELSE 'APT ' || CAST(100 * ((unit_no - 1) // 4 + 1) + (unit_no - 1) % 4 + 1 AS VARCHAR) END END"""
