"""Who the made-up people are: households of relatives, from census name frequencies, for any span of record ids.

Record ids are dealt out in blocks of 100 households and 216 persons, by one of a few shuffled plans, so that a record's
household and place in it follow from its id alone: no part of a register depends on another part.
"""

import random

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.simulate import dwellings, tables
from pipelines.simulate.chance import Chance, rest, slot

SIZES = [1] * 37 + [2] * 34 + [3] * 13 + [4] * 10 + [5] * 4 + [6] * 2  # persons of the households of a block
PERSONS, HOUSEHOLDS, PLANS = sum(SIZES), len(SIZES), 16
LATEST_BIRTH = "DATE '2007-06-01'"
TODAY = "DATE '2025-06-01'"

SPOUSE = 0.85  # of the second persons; the others are relatives of the first
OTHER_SURNAME_SPOUSE, OTHER_SURNAME_CHILD = 0.22, 0.08
HYPHENATED = 0.15  # of the spouses with a surname of their own
TWO_SURNAMES = 0.35  # of those whose surname is Hispanic
JUNIOR, TWINS = 0.06, 0.04  # of the households where they can be
NO_MIDDLE, NO_BIRTH_DATE, NEW_YEAR, NO_TIN, ITIN = 0.2, 0.01, 0.008, 0.005, 0.05

# 898 areas (001-899 without 666) x 99 groups x 9,999 serials; ITINs: 100 areas x 44 groups x 10,000 serials (SSA, IRS)
SSNS, ITINS = 898 * 99 * 9_999, 100 * 44 * 10_000
_PRIME = 387_420_499  # divides neither: steps through each number once


def setup(connection: DuckDBPyConnection, seed: str) -> None:
    """Makes `household_plans`: key = plan * PERSONS + place in the block → household of the block, place, size."""
    dice = random.Random(f"{seed}|households")
    rows: list[tuple[int, int, int, int]] = []
    for _ in range(PLANS):
        order = list(SIZES)
        dice.shuffle(order)
        for home, size in enumerate(order):
            rows += [(len(rows) + place, home, place, size) for place in range(size)]
    columns = [pa.array(column, pa.int32()) for column in zip(*rows, strict=True)]
    plans = pa.table(columns, names=["plan_key", "home", "place", "size"])
    tables.put(connection, "household_plans", plans, "plan_key")
    dwellings.setup(connection, seed)


def dwellings_of(rows: int) -> int:
    """How many dwellings a register of `rows` persons has: one a household."""
    return -(-rows // PERSONS) * HOUSEHOLDS


def make(connection: DuckDBPyConnection, first: int, last: int, chance: Chance, sizes: dict[str, int]) -> None:
    """Makes the tables `households` (with their address), `members` and `persons` for record ids first to last."""
    c = chance
    start, end = (first - 1) // PERSONS * HOUSEHOLDS, -(-last // PERSONS) * HOUSEHOLDS
    tables.make(connection, "homes", f"SELECT CAST(range AS BIGINT) AS dwelling FROM range({start}, {end})")
    tables.make(connection, "households", dwellings.addresses(f"({_heads(c, sizes)})", c, sizes))
    tables.make(connection, "members", _members(first, last, c))
    tables.make(connection, "persons", _persons(c, sizes))


def _chosen(draw: str, table: str, size: str) -> str:
    return f"CASE WHEN {rest(draw, size)} < {table}.keep THEN {table}.name ELSE {table}.other END"


def _heads(c: Chance, sizes: dict[str, int]) -> str:
    """Households with what their members share: surname, age of the first person, and his or her given names."""
    surname, given, middle = (c.draw("dwelling", p) for p in ("surname", "head given", "head middle"))
    n = "(CASE WHEN male THEN {men} ELSE {women} END)".format(**sizes)
    start = f"(CASE WHEN male THEN 0 ELSE {sizes['men']} END)"
    total = str(sizes["surnames"])
    age = " + ".join(c.share("dwelling", f"head age {i}") for i in range(3))
    return f"""
      SELECT h.dwelling, h.male AS head_male,
        CAST(greatest(19, least(97, 50 + ({age} - 1.5) * 34)) * 365.25 AS INTEGER) AS head_days,
        {_chosen(surname, "s", total)} AS surname,
        CASE WHEN {rest(surname, total)} < s.keep THEN s.hispanic ELSE s.other_hispanic END AS family_hispanic,
        {_chosen(given, "g", n)} AS head_first, {_chosen(middle, "m", n)} AS head_middle
      FROM (SELECT dwelling, {c.happens("dwelling", "head sex", 0.5)} AS male FROM homes) h
      JOIN surnames s ON s.slot = {slot(surname, total)}
      JOIN given g ON g.slot = {slot(given, n, start)}
      JOIN given m ON m.slot = {slot(middle, n, start)}"""


def _members(first: int, last: int, c: Chance) -> str:
    """Record ids with household, place in it (0: first person, 1: mostly spouse, from 2: children), relation."""
    plan = c.below(f"((record_id - 1) // {PERSONS})", "household plan", PLANS)
    return f"""
    WITH placed AS (
      SELECT record_id, (record_id - 1) // {PERSONS} * {HOUSEHOLDS} + p.home AS dwelling, p.place, p.size
      FROM (SELECT CAST(range AS BIGINT) AS record_id FROM range({first}, {last + 1}))
      JOIN household_plans p ON p.plan_key = CAST({plan} * {PERSONS} + (record_id - 1) % {PERSONS} AS INTEGER)
    )
    SELECT *, place = 1 AND {c.happens("record_id", "spouse", SPOUSE)} AS spouse,
      place > 1 AS child,
      size > 2 AND {c.happens("dwelling", "junior", JUNIOR * 2)} AS with_junior,
      place = 3 AND {c.happens("dwelling", "twins", TWINS)} AS twin
    FROM placed"""


def _persons(c: Chance, sizes: dict[str, int]) -> str:
    given, middle = (c.draw("record_id", p) for p in ("given", "middle"))
    surname, second = (c.draw("record_id", p) for p in ("own surname", "second surname"))
    n = "(CASE WHEN male THEN {men} ELSE {women} END)".format(**sizes)
    start = f"(CASE WHEN male THEN 0 ELSE {sizes['men']} END)"
    total, hispanic = str(sizes["surnames"]), str(sizes["hispanic"])
    return f"""
    WITH roles AS (
      SELECT m.*, h.* EXCLUDE (dwelling, street, unit, urbanization, city, state, zip),
        with_junior AND head_male AND place = 2 AS junior,
        CASE WHEN place = 0 THEN head_male WHEN spouse THEN NOT head_male
          WHEN with_junior AND head_male AND place = 2 THEN true
          ELSE {c.happens("record_id", "sex", 0.5)} END AS male,
        (spouse AND {c.happens("record_id", "keeps name", OTHER_SURNAME_SPOUSE)})
          OR (child AND NOT (with_junior AND place = 2)
            AND {c.happens("record_id", "keeps name", OTHER_SURNAME_CHILD)}) AS own_surname
      FROM members m JOIN households h USING (dwelling)
    ), named AS (
      SELECT r.*, {_chosen(given, "g", n)} AS given, {_chosen(middle, "mi", n)} AS middle,
        {_chosen(surname, "s", total)} AS other_surname, {_chosen(second, "t", hispanic)} AS second_surname,
        CASE WHEN own_surname THEN CASE WHEN {rest(surname, total)} < s.keep THEN s.hispanic ELSE s.other_hispanic END
          ELSE family_hispanic END AS two_possible,
        {_born(c)} AS born, {_walk(c, SSNS)} AS ssn, {_walk(c, ITINS)} AS itin,
          {_walk(c, ITINS)} // 10000 % 44 AS itin_group
      FROM roles r
      JOIN given g ON g.slot = {slot(given, n, start)}
      JOIN given mi ON mi.slot = {slot(middle, n, start)}
      JOIN surnames s ON s.slot = {slot(surname, total)}
      JOIN surnames t ON t.slot = {slot(second, hispanic, total)}
    )
    SELECT record_id, {_tin(c)} AS tin,
      CASE WHEN place = 0 OR junior THEN head_first ELSE given END AS first_name,
      CASE WHEN place = 0 OR junior THEN {_middle(c, "dwelling", "head_middle")}
        ELSE {_middle(c, "record_id", "middle")} END AS middle_name,
      {_surname(c)} AS last_name,
      CASE WHEN junior AND {c.happens("record_id", "jr", 0.75)} THEN 'JR'
        WHEN place = 0 AND with_junior AND head_male AND {c.happens("record_id", "sr", 0.35)} THEN 'SR'
        WHEN male AND {c.happens("record_id", "third", 0.004)} THEN 'III' END AS suffix,
      CASE WHEN NOT {c.happens("record_id", "no birth date", NO_BIRTH_DATE)} THEN
        CASE WHEN {c.happens("record_id", "new year", NEW_YEAR)} THEN make_date(year(born), 1, 1)
          ELSE born END END AS birth_date
    FROM named"""


def _middle(c: Chance, key: str, name: str) -> str:
    u = c.share(key, "middle kind")
    return f"CASE WHEN {u} < {NO_MIDDLE} THEN NULL WHEN {u} < 0.6 THEN {name}[1] ELSE {name} END"


def _surname(c: Chance) -> str:
    own = "CASE WHEN own_surname THEN other_surname ELSE surname END"
    return f"""CASE WHEN own_surname AND spouse AND {c.happens("record_id", "hyphen", HYPHENATED)}
          THEN other_surname || '-' || surname
          WHEN two_possible AND {c.happens("record_id", "two", TWO_SURNAMES)}
          THEN {own} || ' ' || second_surname ELSE {own} END"""


def _born(c: Chance) -> str:
    # a twin draws with the key of the child before, and so is born on the same day
    key = "(dwelling * 8 + CASE WHEN twin THEN 2 ELSE place END)"
    spread, day = c.share(key, "age"), f"CAST({c.below(key, 'day', 365)} AS INTEGER)"
    days = f"""CASE WHEN place = 0 THEN head_days
          WHEN place = 1 THEN head_days + CAST(({spread} - 0.5)
          * CASE WHEN spouse THEN 3600 ELSE 20000 END AS INTEGER)
          WHEN head_days > 40 * 365 THEN head_days - CAST((18 + {spread} * 22) * 365.25 AS INTEGER)
          ELSE head_days + CAST(({spread} - 0.5) * 4000 AS INTEGER) END"""
    return f"least({LATEST_BIRTH}, {TODAY} - ({days})::INTEGER) - {day}"


def _walk(c: Chance, numbers: int) -> str:
    """A number of its own for each record: a walk through all of them, begun where the seed says."""
    return f"(record_id * {_PRIME} + {random.Random(f'{c.seed}|tin').randrange(SSNS)}) % {numbers}"


def _tin(c: Chance) -> str:
    """Nine digits from the columns ssn or itin (places in the list of valid numbers)."""
    area = f"(ssn // {99 * 9_999} + 1)"
    group = """CASE WHEN itin_group < 16 THEN 50 WHEN itin_group < 35 THEN 54 WHEN itin_group < 38 THEN 55 ELSE 56 END
          + itin_group"""
    usual = f"""({area} + CASE WHEN {area} >= 666 THEN 1 ELSE 0 END) * 1000000
          + (ssn // 9999 % 99 + 1) * 10000 + ssn % 9999 + 1"""
    other = f"(900 + itin // 440000) * 1000000 + ({group}) * 10000 + itin % 10000"
    number = f"CASE WHEN {c.happens('record_id', 'itin', ITIN)} THEN {other} ELSE {usual} END"
    return f"CASE WHEN NOT {c.happens('record_id', 'no tin', NO_TIN)} THEN lpad(CAST({number} AS VARCHAR), 9, '0') END"
