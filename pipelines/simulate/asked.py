"""Who a batch asks for: persons on file, their relatives and namesakes, and strangers, with what is true of them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from expectations.base.errors import Usage
from pipelines.simulate import dwellings, people
from pipelines.simulate.chance import Chance
from pipelines.simulate.profiles import Profile
from pipelines.simulate.registers import Made, Maker
from pipelines.simulate.tables import make

FAR = 1 << 30  # dwellings from here on are in no register
PARTS = ("street", "unit", "urbanization", "city", "state", "zip")


@dataclass(frozen=True)
class Plan:
    """A batch to be made: rows from the register in `folder`, drawn by `chance`."""

    rows: int
    profile: Profile
    chance: Chance
    folder: Path
    made: Made
    letter_date: date


def choose(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Makes the table `asked`: i (0 …), record_id (null: not on file), the person's true names, birth date and TIN, and
    the address that the row would give. Raises Usage if the register is too small."""
    known = round(plan.rows * plan.profile.in_register)
    strangers = plan.rows - known
    if known + strangers // 5 > plan.made.rows:
        message, remedy = "the batch asks for more people than the register holds", "Make a larger register."
        raise Usage("REGISTER_TOO_SMALL", message, remedy=remedy)
    _pick(connection, plan, known, strangers)
    _fetch(connection, plan)
    maker = Maker.on(connection, plan.made.rows, plan.made.seed)
    made = "SELECT 0 AS n, p.*, c.* EXCLUDE (record_id) FROM picked_persons p, current c LIMIT 0"  # nobody
    if strangers:
        start = -(-plan.made.rows // people.PERSONS) * people.PERSONS  # whole households that are not in the register
        maker.make(start + 1, start + strangers)
        living = "persons p JOIN addresses a ON a.record_id = p.record_id AND a.valid_to IS NULL"
        made = f"SELECT p.record_id - {start + 1} AS n, p.*, {', '.join(PARTS)} FROM {living}"
    make(connection, "strangers", made)
    far = f"(SELECT i, {FAR} + i AS dwelling FROM picks)"
    make(connection, "elsewhere", dwellings.addresses(far, maker.chance, maker.sizes))
    make(connection, "homed", _homed(plan, maker.sizes))
    make(connection, "asked", _ASKED)


def _pick(connection: duckdb.DuckDBPyConnection, plan: Plan, known: int, strangers: int) -> None:
    """`picks`: i, kind, record (on file: the person; relative or namesake: the person it is like), n (its stranger)."""
    c, relatives = plan.chance, round(strangers * plan.profile.relatives)
    alike = relatives + round(strangers * plan.profile.namesakes)
    query = f"""
    WITH records AS (
      SELECT record, row_number() OVER (ORDER BY luck, record) - 1 AS k FROM (
        SELECT range AS record, {c.draw("range", "record")} AS luck
        FROM range(1, {plan.made.rows + 1}) ORDER BY luck, record LIMIT {known + alike})
    ), rows AS (
      SELECT range AS k, CASE WHEN range < {known} THEN 'known' WHEN range < {known + relatives} THEN 'relative'
        WHEN range < {known + alike} THEN 'namesake' ELSE 'stranger' END AS kind,
        {c.draw("range", "place")} AS luck FROM range({plan.rows})
    )
    SELECT row_number() OVER (ORDER BY luck, k) - 1 AS i, kind, record, k - {known} AS n
    FROM rows LEFT JOIN records USING (k)"""
    make(connection, "picks", query)


def _fetch(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """What is on file of the picked and of who comes after them in the register (mostly of their household):
    `picked_persons`, `current` and `earlier` (the newest of the earlier addresses)."""
    folder = plan.folder
    wanted = "record_id IN (SELECT record FROM picks WHERE record IS NOT NULL)"
    lenders = f"record_id IN (SELECT record % {plan.made.rows} + 1 FROM picks WHERE record IS NOT NULL)"
    columns = ", ".join(("record_id", *PARTS))
    newest = "row_number() OVER (PARTITION BY record_id ORDER BY valid_from DESC) = 1"
    for table, sql in (
        ("picked_persons", f"FROM '{folder}/persons/*.parquet' WHERE {wanted} OR {lenders}"),
        ("homes_on_file", f"FROM '{folder}/addresses/*.parquet' WHERE {wanted}"),
        ("current", f"SELECT {columns} FROM homes_on_file WHERE valid_to IS NULL"),
        ("earlier", f"SELECT {columns} FROM homes_on_file WHERE valid_to IS NOT NULL QUALIFY {newest}"),
    ):
        make(connection, table, sql)


def _homed(plan: Plan, sizes: dict[str, int]) -> str:
    """`picks` with what to join by: which home a row gives, who lends a TIN, which new surname.

    A known row gives an address on file or, by the profile, one elsewhere; a relative one on file; the others their
    own. A table of its own: over expressions DuckDB multiplies these tables out.
    """
    c, profile = plan.chance, plan.profile
    u, earlier = c.share("i", "address"), profile.elsewhere + profile.earlier
    return f"""
      SELECT k.*, CASE WHEN kind = 'known' THEN k.record END AS record_id,
        CASE WHEN kind = 'relative' THEN 'current' WHEN kind <> 'known' THEN 'own'
          WHEN {u} < {profile.elsewhere} THEN 'elsewhere' WHEN {u} < {earlier} AND e.record_id IS NOT NULL
            THEN 'earlier' ELSE 'current' END AS home,
        CASE WHEN kind = 'known' THEN k.record % {plan.made.rows} + 1 END AS lender,
        CAST({c.below("i", "new surname", sizes["surnames"])} AS INTEGER) AS name_slot
      FROM picks k LEFT JOIN earlier e ON e.record_id = k.record"""


_PLACE = ",\n        ".join(
    f"CASE home WHEN 'current' THEN f.{part} WHEN 'earlier' THEN e.{part}"
    f" WHEN 'elsewhere' THEN w.{part} ELSE s.{part} END AS {part}"
    for part in PARTS
)
_ASKED = f"""
      SELECT k.i, kind, k.record_id, home, l.tin AS lender_tin, n.name AS new_surname,
        CASE WHEN kind IN ('known', 'namesake') THEN p.first_name ELSE s.first_name END AS first_name,
        CASE WHEN kind = 'known' THEN p.middle_name ELSE s.middle_name END AS middle_name,
        CASE WHEN kind = 'stranger' THEN s.last_name ELSE p.last_name END AS last_name,
        CASE WHEN kind = 'known' THEN p.suffix WHEN kind = 'stranger' THEN s.suffix END AS suffix,
        CASE WHEN kind = 'known' THEN p.birth_date ELSE s.birth_date END AS birth_date,
        CASE WHEN kind = 'known' THEN p.tin ELSE s.tin END AS tin,
        {_PLACE}
      FROM homed k
      LEFT JOIN picked_persons p ON p.record_id = k.record
      LEFT JOIN current f ON f.record_id = k.record
      LEFT JOIN earlier e ON e.record_id = k.record
      LEFT JOIN elsewhere w ON w.i = k.i
      LEFT JOIN strangers s ON s.n = k.n
      LEFT JOIN picked_persons l ON l.record_id = k.lender
      LEFT JOIN surnames n ON n.slot = k.name_slot"""
