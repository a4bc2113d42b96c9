"""A stress register: everyone asked for has a relative on file who is nearly the same, and half of those asked for are
not on file themselves. Twins, fathers and sons, namesakes, spouses; their numbers are often the relative's.

People, homes and numbers are the simulator's. Given names are drawn from one half of the census list, the *unseen* one;
the match is given the other half, so that what is measured is the rule and not the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from expectations.base.duck import default_settings, quote, session
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from expectations.names import given, standard
from pipelines import simulate
from pipelines.simulate import chance, noise, registers, tables
from pipelines.simulate.reference import NICKNAMES

# Kinds of relatives, each as often as it is listed.
KINDS = (
    *["twins, alike, one sex"] * 4,
    *["twins, alike, brother and sister"] * 2,
    *["twins, unlike names"] * 2,
    *["twins, two given names, one shared"] * 2,
    *["father and son of one name"] * 4,
    *["namesakes of a family"] * 2,
    *["spouse or child, alike"] * 2,
    *["spouse or child, unlike name"] * 2,
)
ALIKE = "kind LIKE '%, alike%'"
TWINS = "kind LIKE 'twins%'"
SON = "kind = 'father and son of one name'"
# How often a request gives what: the birth date, the person's own TIN, the relative's; a middle name; a suffix
BORN, OWN_TIN, FAMILY_TIN, MIDDLE, SUFFIX = 0.9, 0.55, 0.15, 0.7, 0.85
ON_FILE, TYPO, NICKNAME = 0.5, 0.03, 0.02
PLACE = ("street", "unit", "urbanization", "city", "state", "zip")


@dataclass(frozen=True)
class Stress:
    """`raw` register, `requests` and `truth` (Parquet, one order), and the half of the names that the match may see."""

    raw: Path
    requests: Path
    truth: Path
    seen: Path


def make(folder: Path, asked: int, seed: int, *, mixed: bool) -> Stress:
    """`mixed`: the relative's name may be one that the match has seen; without it neither is."""
    base, rows = folder / "base", asked * 5 // 4
    simulate.register(rows, seed, base, duck=default_settings())
    made = Stress(folder / "raw", folder / "requests.parquet", folder / "truth.parquet", folder / "seen.parquet")
    c = chance.Chance(f"kin 1|{seed}")
    with session(default_settings()) as con:
        standard.setup(con)
        maker = registers.Maker.on(con, rows, seed)
        start = rows + 1_000_000
        maker.make(start, start + asked - 1)  # those who are asked for, before they become relatives
        con.execute("ALTER TABLE persons RENAME TO others")
        _names(con, made.seen, mixed=mixed)
        for name, sql in (
            ("kin", _kin(c, base, asked, start)),
            ("named", _named(c)),
            ("persons_asked", _asked(c, base)),
            ("rows", _rows(c)),
        ):
            tables.make(con, name, sql)
        _write(con, made, base)
    return made


def _names(con: duckdb.DuckDBPyConnection, seen: Path, *, mixed: bool) -> None:
    """`unseen`: half of the names in use, with no familiar form among them; `alike`: pairs of them, or of one of them
    and any name. Both with a running weight: the root of how many bear it, so that rare names are not lost."""
    half = "md5_number_lower(name) % 2"
    con.execute(f"COPY (FROM {quote(str(given.LISTED))} WHERE {half} = 0) TO {quote(str(seen))} (FORMAT parquet)")
    familiar = f"read_csv({quote(str(NICKNAMES))}, skip = 2, header = true, all_varchar = true)"
    usable = f"name <> '{given.ALL_OTHERS}' AND length(name) > 3"
    con.execute(f"""
        CREATE TEMP TABLE listed AS
        SELECT name, sqrt(count) AS weight, pct_male > 90 AS male, pct_male < 10 AS female, {half} = 1 AND name NOT IN (
          SELECT name FROM {familiar} UNION ALL SELECT nickname FROM {familiar}) AS unseen
        FROM {quote(str(given.LISTED))} WHERE {usable} AND (pct_male > 90 OR pct_male < 10)""")
    con.execute(
        "CREATE TEMP TABLE unseen AS SELECT *, sum(weight) OVER (ORDER BY name) AS upto FROM listed WHERE unseen"
    )
    con.execute(f"""
        CREATE TEMP TABLE alike AS
        SELECT *, sum(weight) OVER (PARTITION BY one_sex ORDER BY first, second) AS upto FROM (
          SELECT a.name AS first, b.name AS second, least(a.weight, b.weight) AS weight, a.male = b.male AS one_sex
          FROM listed a JOIN listed b ON a.name[1:2] = b.name[1:2] AND a.name <> b.name
            AND abs(length(a.name) - length(b.name)) <= 2
          WHERE a.unseen AND {"true" if mixed else "b.unseen"}
            AND jaro_winkler_similarity(a.name, b.name) >= 0.90)""")


def _kin(c: chance.Chance, base: Path, asked: int, start: int) -> str:
    """i, kind, the relative on file (record) and who is asked for (other), and the names drawn for both."""
    return f"""
    WITH picked AS (
      SELECT row_number() OVER (ORDER BY luck, record_id) - 1 AS i, record_id AS record FROM (
        SELECT record_id, {c.draw("record_id", "relative")} AS luck FROM '{base}/persons/*.parquet'
        ORDER BY luck, record_id LIMIT {asked})
    ), kinds AS (SELECT *, {start} + i AS other, {c.one_of("i", "kind", KINDS)} AS kind FROM picked),
    drawn AS (
      SELECT *, kind NOT LIKE '%brother%' AND (kind NOT LIKE 'spouse%' OR {c.happens("i", "one sex", 0.5)}) AS one_sex,
        {c.share("i", "pair")} AS pair_luck, {c.share("i", "first")} * (SELECT max(upto) FROM unseen) AS first_luck,
        {c.share("i", "second")} * (SELECT max(upto) FROM unseen) AS second_luck
      FROM kinds)
    SELECT d.i, d.kind, d.record, d.other, p.first AS alike_first, p.second AS alike_second, f.name AS first,
      s.name AS second
    FROM (SELECT d.*, pair_luck * m.most AS pair_place FROM drawn d
      JOIN (SELECT one_sex, max(upto) AS most FROM alike GROUP BY one_sex) m USING (one_sex)) d
    ASOF JOIN alike p ON d.one_sex = p.one_sex AND d.pair_place <= p.upto
    ASOF JOIN unseen f ON d.first_luck <= f.upto
    ASOF JOIN unseen s ON d.second_luck <= s.upto"""


def _named(c: chance.Chance) -> str:
    """The given names and suffixes of both: p_ of the relative on file, r_ of who is asked for."""
    return f"""
    SELECT i, kind, record, other,
      CASE WHEN {ALIKE} THEN alike_first ELSE first END AS p_first,
      CASE WHEN {ALIKE} THEN alike_second WHEN kind LIKE '%unlike%' AND first <> second THEN second
        WHEN kind LIKE '%unlike%' THEN alike_second ELSE first END AS r_first,
      CASE WHEN {SON} AND {c.happens("i", "senior", 0.35)} THEN 'SR' END AS p_suffix,
      CASE WHEN {SON} THEN 'JR' END AS r_suffix,
      {c.happens("i", "on file", ON_FILE)} AS on_file, {c.happens("i", "filed suffix", 0.75)} AS suffix_filed
    FROM kin"""


def _asked(c: chance.Chance, base: Path) -> str:
    """Who is asked for, as they are: r_ names, birth date, number and home, beside what is on file of the relative."""
    home = ", ".join(f"CASE WHEN apart THEN oa.{n} ELSE pa.{n} END AS {n}" for n in PLACE)
    years = f"CAST(20 + {c.below('i', 'years', 16)} AS INTEGER)"
    two = f"upper({c.one_of('i', 'other middle', ['Elena', 'Isabel', 'Ursula', 'Olga', 'Ximena'])})"
    shares = f"({SON} AND {c.happens('i', 'same middle', 0.7)})"
    return f"""
    SELECT n.*, p.last_name AS last_name, p.tin AS p_tin, p.birth_date AS p_birth, o.tin AS r_tin,
      CASE WHEN kind LIKE '%two given%' THEN coalesce(p.middle_name, 'Anna') ELSE p.middle_name END AS p_middle,
      CASE WHEN {shares} THEN p.middle_name WHEN kind LIKE '%two given%'
        THEN CASE WHEN {two}[1] = coalesce(p.middle_name, 'A')[1] THEN 'BEATRIZ' ELSE {two} END
        ELSE o.middle_name END AS r_middle,
      CASE WHEN {TWINS} THEN p.birth_date
        WHEN {SON} THEN p.birth_date + CAST({years} * 365.25 + {c.below("i", "day", 300)} AS INTEGER)
        ELSE o.birth_date END AS r_birth,
      {home}
    FROM (SELECT *, kind = 'namesakes of a family' AND {c.happens("i", "apart", 0.5)} AS apart FROM named) n
    JOIN '{base}/persons/*.parquet' p ON p.record_id = n.record
    JOIN (SELECT * FROM '{base}/addresses/*.parquet' WHERE valid_to IS NULL) pa ON pa.record_id = n.record
    JOIN others o ON o.record_id = n.other
    JOIN (SELECT * FROM addresses WHERE valid_to IS NULL) oa ON oa.record_id = n.other"""


def _rows(c: chance.Chance) -> str:
    """The requests, and `beyond`: nothing in the row tells the person from the relative."""
    u, number = c.share("i", "name noise"), c.share("i", "number")
    where = c.below("i", "suffix place", 5)
    return f"""
    WITH given AS (
      SELECT p.*, {number} < {OWN_TIN} AS own, {number} BETWEEN {OWN_TIN} AND {OWN_TIN + FAMILY_TIN} AS family,
        {c.happens("i", "born", BORN)} AS dated, {c.happens("i", "middle", MIDDLE)} AS with_middle,
        r_suffix IS NOT NULL AND {c.happens("i", "suffix", SUFFIX)} AS with_suffix, {where} AS place, k.nickname,
        CASE WHEN {u} < {NICKNAME} AND k.nickname IS NOT NULL THEN 'nickname'
          WHEN {u} BETWEEN {NICKNAME} AND {NICKNAME + TYPO} THEN 'first'
          WHEN {u} BETWEEN {NICKNAME + TYPO} AND {NICKNAME + 2 * TYPO} AND length(last_name) > 3
            THEN 'last' END AS noise
      FROM persons_asked p LEFT JOIN ({noise.nicknames()}) k ON k.name = r_first
    ), written AS (
      SELECT *, CASE noise WHEN 'nickname' THEN nickname WHEN 'first' THEN {noise.typo(c, "r_first", "first")}
          ELSE r_first END AS w_first,
        CASE noise WHEN 'last' THEN {noise.typo(c, "last_name", "last")} ELSE last_name END AS w_last,
        CASE WHEN with_middle THEN r_middle END AS w_middle, CASE WHEN dated THEN r_birth END AS w_birth,
        CASE WHEN own THEN r_tin WHEN family THEN p_tin END AS w_tin
      FROM given)
    SELECT i, CAST(i AS VARCHAR) AS request_id,
      CASE WHEN with_suffix AND place = 0 THEN w_first || ' Jr' ELSE w_first END AS first_name,
      CASE WHEN with_suffix AND place = 1 THEN concat_ws(' ', w_middle, 'Jr.') ELSE w_middle END AS middle_name,
      CASE WHEN with_suffix AND place = 2 THEN w_last || ' Jr' ELSE w_last END AS last_name,
      CASE WHEN with_suffix AND place > 2 THEN ['JR', 'Jnr'][place - 2] END AS suffix,
      strftime(w_birth, '%Y-%m-%d') AS birth_date, w_tin AS tin, {", ".join(PLACE)},
      kind, CASE WHEN on_file THEN other END AS record_id,
      {_beyond()} AS beyond
    FROM written"""


def _beyond() -> str:
    """SQL: what the row says fits the relative as well: the same given name and no suffix, or a name alike with the
    relative's number and birth date; and no middle initial or number that speaks against it."""
    initial = "std_middle(std_without_given(std_name({side}_middle)))"  # JUNIOR and MALE are none
    other_middle = f"coalesce({initial.format(side='w')} <> {initial.format(side='p')}, false)"
    undated = "(w_birth IS NULL OR p_birth IS NULL OR year(w_birth) = year(p_birth))"
    no_suffix = "NOT with_suffix AND p_suffix IS NULL"
    one_name = f"family AND r_first = p_first AND {no_suffix} AND {undated} AND ({TWINS} OR NOT {other_middle})"
    one_birth = f"family AND {TWINS} AND {ALIKE} AND w_birth IS NOT NULL AND NOT {other_middle}"
    no_number = "(family OR w_tin IS NULL OR p_tin IS NULL)"
    shared = f"{TWINS} AND w_first = p_first AND {no_number} AND NOT {other_middle}"  # by a slip of the pen, too
    return f"coalesce(({one_name}) OR ({one_birth}) OR ({shared}), false)"


def _write(con: duckdb.DuckDBPyConnection, made: Stress, base: Path) -> None:
    """Who is on file: the simulator's people, the relatives under their new names, and half of those asked for."""
    fields = ", ".join(n for n in REGISTER_PERSON.names if n != "record_id")
    for table in ("persons", "addresses"):
        (made.raw / table).mkdir(parents=True)
    con.execute(f"""
        COPY (
          SELECT record_id, {fields} FROM (
            SELECT p.* REPLACE (coalesce(k.p_first, p.first_name) AS first_name,
                coalesce(k.p_middle, p.middle_name) AS middle_name,
                CASE WHEN k.i IS NULL THEN p.suffix ELSE k.p_suffix END AS suffix)
            FROM '{base}/persons/*.parquet' p LEFT JOIN persons_asked k ON k.record = p.record_id
            UNION ALL BY NAME
            SELECT other AS record_id, r_tin AS tin, r_first AS first_name, r_middle AS middle_name, last_name,
              CASE WHEN suffix_filed THEN r_suffix END AS suffix, r_birth AS birth_date
            FROM persons_asked WHERE on_file)
        ) TO '{made.raw}/persons/part-0.parquet' (FORMAT parquet)""")
    con.execute(f"""
        COPY (
          SELECT {", ".join(REGISTER_ADDRESS.names)} FROM (
            FROM '{base}/addresses/*.parquet'
            UNION ALL BY NAME
            SELECT other AS record_id, {", ".join(PLACE)}, DATE '2019-03-01' AS valid_from, NULL::DATE AS valid_to
            FROM persons_asked WHERE on_file)
        ) TO '{made.raw}/addresses/part-0.parquet' (FORMAT parquet)""")
    sent = "request_id, first_name, middle_name, last_name, suffix, birth_date, tin, street, unit, city, state, zip"
    tables.write(con, f"SELECT {sent} FROM rows ORDER BY i", made.requests)
    tables.write(con, "SELECT request_id, record_id, kind, beyond FROM rows ORDER BY i", made.truth)
