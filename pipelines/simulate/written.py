"""What a batch's rows say: the people of `asked`, with their evidence, the noise, the defects and the legal elements.

Makes the table `rows`: i, request_id, the fields as submitted (parts and one-line forms), and what is true of the row.
"""

from collections.abc import Sequence

import duckdb

from pipelines.simulate import defects, noise
from pipelines.simulate.asked import Plan
from pipelines.simulate.chance import Chance
from pipelines.simulate.defects import HOSTILE, LEGAL, TRICKS, UNIT_LEFT_OUT, VISIBLE, Defect
from pipelines.simulate.profiles import Profile
from pipelines.simulate.tables import make

REASONS = (
    (
        "Case {case}: did not depart after the final order of {date}; the last return on file may show"
        " where to find the person."
    ),
    "Departure due 90 days after {date} not confirmed in matter {case}; address needed to serve the charge.",
    "Prosecution in {case} under preparation; order final on {date}, no departure recorded since.",
    "Grand jury matter {case}: whereabouts after {date} bear on the element of wilful failure to depart.",
    "Investigation {case} opened after the order of {date} became final; residence bears on venue.",
)

GROUNDS = ("(1)(A)", "(1)(B)", "(1)(C)(i)", "(2)(A)(iii)", "(2)(B)(i)", "(3)(D)(i)")  # of 8 USC 1227(a)


def write(connection: duckdb.DuckDBPyConnection, plan: Plan, officers: Sequence[str], prefix: str) -> None:
    """Makes `rows` from `asked`, step by step: a table a step, so that no step's SQL repeats another's."""
    c, profile = plan.chance, plan.profile
    kinds = HOSTILE if profile.tricks else VISIBLE
    for table, sql in (
        ("nicknames", noise.nicknames()),
        ("identified", _identified(c, profile)),
        ("flawed", _flawed(c, profile, kinds)),
        ("located", _located(c, kinds)),
        ("legal", _legal(c, plan, officers, prefix)),
        ("tricked", _changed("legal", "trick", [(n, f) for n, f, _ in TRICKS])),
        ("rows", _rows(c)),
    ):
        make(connection, table, sql)


def _identified(c: Chance, p: Profile) -> str:
    """Names as written, birth date and TIN as given; `name_agrees`; whether either agrees or conflicts."""
    u, two = c.share("i", "name noise"), "regexp_matches(last_name, '[ -]')"
    last_sign = p.nickname + p.typo_in_name
    return f"""
    WITH given AS (
      SELECT a.*, n.nickname,
        CASE WHEN {two} AND {c.happens("i", "one surname", p.one_of_two_surnames)} THEN 'one_surname'
          WHEN {u} < {p.nickname} AND n.nickname IS NOT NULL THEN 'nickname'
          WHEN {u} < {last_sign} AND length(first_name) > 3 AND length(last_name) > 3
            THEN CASE WHEN {c.happens("i", "which name", 0.5)} THEN 'typo_first' ELSE 'typo_last' END
          WHEN {u} BETWEEN {last_sign} AND {last_sign + p.new_surname} THEN 'new_surname'
          WHEN suffix IN ('JR', 'SR') AND {c.happens("i", "swap suffix", p.suffix_swapped)}
            THEN 'suffix_swapped' END AS name_noise,
        CASE WHEN birth_date IS NULL OR NOT {c.happens("i", "birth date", p.birth_date)} THEN NULL
          WHEN {c.happens("i", "wrong birth date", p.birth_date_wrong)}
            THEN birth_date + CAST([1, -1, 10, -10, 365, 3652, -3652][1 + {c.below("i", "how wrong", 7)}] AS INTEGER)
              ELSE birth_date END AS birth_given,
        CASE WHEN tin IS NULL OR NOT {c.happens("i", "tin", p.tin)} THEN NULL
          WHEN {c.happens("i", "near miss", p.tin_near_miss)}
            THEN left(tin, 8) || CAST((CAST(tin[9] AS INTEGER) + 1 + {c.below("i", "digit", 9)}) % 10 AS VARCHAR)
          WHEN {c.happens("i", "borrowed", p.tin_borrowed)} THEN coalesce(lender_tin, tin)
          ELSE tin END AS tin_given
      FROM asked a LEFT JOIN nicknames n ON n.name = a.first_name
    )
    SELECT * EXCLUDE (first_name, middle_name, last_name, suffix, nickname, new_surname, lender_tin),
      CASE name_noise WHEN 'nickname' THEN nickname WHEN 'typo_first' THEN {noise.typo(c, "first_name", "first")}
        ELSE first_name END AS first_name,
      CASE WHEN {c.happens("i", "no middle", 0.4)} THEN NULL WHEN {c.happens("i", "initial", 0.5)} THEN middle_name[1]
        ELSE middle_name END AS middle_name,
      CASE name_noise WHEN 'one_surname'
          THEN string_split_regex(last_name, '[ -]')[CASE WHEN {c.happens("i", "first of two", 0.8)} THEN 1 ELSE 2 END]
        WHEN 'typo_last' THEN {noise.typo(c, "last_name", "last")} WHEN 'new_surname' THEN new_surname
          ELSE last_name END AS last_name,
      CASE WHEN name_noise = 'suffix_swapped' THEN CASE suffix WHEN 'JR' THEN 'SR' ELSE 'JR' END
        WHEN {c.happens("i", "suffix", 0.85)} THEN suffix END AS suffix,
      name_noise IS NULL OR name_noise NOT IN ('new_surname', 'suffix_swapped') AS name_agrees,
      coalesce(birth_given = birth_date AND NOT (month(birth_date) = 1 AND day(birth_date) = 1), false) AS birth_agrees,
      coalesce(birth_given <> birth_date, false) AS birth_conflicts,
      coalesce(tin_given = tin, false) AS tin_agrees, coalesce(tin_given <> tin, false) AS tin_conflicts
    FROM given"""


def _flawed(c: Chance, p: Profile, kinds: Sequence[Defect]) -> str:
    """Which address is incomplete, and how; which is an address on file with a letter wrong."""
    drawn = c.below("i", "defect", len(kinds))
    cases = " ".join(
        f"WHEN {k} THEN CASE WHEN {d.needs} THEN '{d.name}' ELSE '{kinds[0].name}' END" for k, d in enumerate(kinds)
    )
    return f"""
    SELECT *, CASE WHEN {c.happens("i", "incomplete", p.incomplete)} THEN CASE {drawn} {cases} END
        WHEN unit IS NOT NULL AND {c.happens("i", "unit left out", p.unit_left_out)}
          THEN '{UNIT_LEFT_OUT}' END AS address_defect,
      regexp_matches(street, '^[0-9]+ ([NSEW]+ )?[A-Z]{{5,}} ')
        AND {c.happens("i", "street typo", p.typo_in_street)} AS street_typo
    FROM identified"""


def _located(c: Chance, kinds: Sequence[Defect]) -> str:
    """The address as written, in parts; `corroborated`: what it says is on file for the person, and complete."""
    word = "regexp_extract(street, '[A-Z]{5,}')"
    broken = f"CASE WHEN street_typo THEN replace(street, {word}, {noise.typo(c, word, 'street')}) ELSE street END"
    parts = ", ".join(f"{_defective(part, kinds)} AS {part}" for part in defects.KEEP)
    return f"""
    WITH broken AS (SELECT * REPLACE ({broken} AS street) FROM flawed),
    lined AS (SELECT * REPLACE ({noise.suffixed(c)} AS street) FROM broken),
    plain AS (SELECT i, address_defect, {noise.directed(c)} AS street, {noise.unit(c)} AS unit, urbanization, city,
      state, zip FROM lined),
    written AS (SELECT i, CASE WHEN address_defect IS NULL OR address_defect = '{UNIT_LEFT_OUT}'
      THEN urbanization END AS urbanization, {parts} FROM plain)
    SELECT f.* EXCLUDE (street, unit, urbanization, city, state, zip),
      -- requests have no field for a Puerto Rico urbanization: it stands before the street
      concat_ws(' ', w.urbanization, w.street) AS street, w.unit, w.city, w.state, w.zip,
      record_id IS NOT NULL AND home IN ('current', 'earlier') AND address_defect IS NULL
        AND NOT street_typo AS corroborated
    FROM flawed f JOIN written w USING (i)"""


def _defective(part: str, kinds: Sequence[Defect]) -> str:
    whens = " ".join(f"WHEN '{d.name}' THEN {d.parts[part]}" for d in kinds if part in d.parts)
    left_out = f"WHEN '{UNIT_LEFT_OUT}' THEN NULL " if part == "unit" else ""
    return f"CASE address_defect {whens} {left_out}ELSE {part} END" if whens or left_out else part


def _legal(c: Chance, plan: Plan, officers: Sequence[str], prefix: str) -> str:
    """The legal elements, each row with its own case; `legal_defect` and `trick` say what is wrong with the row."""
    year = plan.letter_date.year
    days = c.below("i", "ordered", 2500)
    ordered, reviewed = (f"letter_date - CAST(120 + {d} AS INTEGER)" for d in (days, f"({days}) // 2"))
    reasons = " ".join(
        f"WHEN {k} THEN '" + r.format(case="' || case_number || '", date="' || final_order_date || '") + "'"
        for k, r in enumerate(REASONS)
    )
    legal, tricks = [name for name, _ in LEGAL], [name for name, *_ in TRICKS]
    base = f"""
      SELECT l.*, DATE '{plan.letter_date}' AS letter_date,
        '{prefix}-' || lpad(CAST(CASE WHEN i > 0 AND {c.happens("i", "same id", plan.profile.duplicate_ids)} THEN i - 1
          ELSE i END AS VARCHAR), 8, '0') AS request_id,
        CASE WHEN {c.happens("i", "one year", 0.6)} THEN '{year - 2}' ELSE '{year - 4}-{year - 2}' END
          AS taxable_period,
        'officer-' || lpad(CAST(1 + i % {len(officers)} AS VARCHAR), 3, '0') AS officer,
        CASE WHEN {c.happens("i", "legal defect", plan.profile.legal_defect)}
          THEN {c.one_of("i", "which legal", legal)} END AS legal_defect,
        CASE WHEN {c.happens("i", "trick", plan.profile.tricks)} THEN {c.one_of("i", "which trick", tricks)} END
          AS trick
      FROM located l"""
    dated = f"""SELECT *, strftime({ordered}, '%Y-%m-%d') AS final_order_date,
        CASE WHEN {c.happens("i", "judicial review", 0.1)} THEN strftime({reviewed}, '%Y-%m-%d')
          ELSE 'none' END AS judicial_order_date,
        '1227(a)' || {c.one_of("i", "ground", GROUNDS)} AS removal_ground,
        'FO-' || year({ordered}) || '-' || lpad(CAST(1 + i AS VARCHAR), 7, '0') AS case_number FROM ({base})"""
    reasoned = f"SELECT *, CASE {c.below('i', 'reason', len(REASONS))} {reasons} END AS reason FROM ({dated})"
    return _changed(f"({reasoned})", "legal_defect", LEGAL)


def _changed(relation: str, column: str, changes: Sequence[tuple[str, dict[str, str]]]) -> str:
    """`relation` with the fields that the value of `column` changes."""
    names = sorted({field for _, fields in changes for field in fields})
    given = {"tin": "tin_given"}  # the number as written; `tin` is the true one
    replaced = ", ".join(_change(given.get(n, n), n, column, changes) for n in names)
    return f"SELECT * REPLACE ({replaced}) FROM {relation}"


def _change(written: str, field: str, column: str, changes: Sequence[tuple[str, dict[str, str]]]) -> str:
    whens = " ".join(
        f"WHEN '{name}' THEN {fields[field].replace(field, written)}" for name, fields in changes if field in fields
    )
    return f"CASE {column} {whens} ELSE {written} END AS {written}"


def _rows(c: Chance) -> str:
    """The fields as submitted, and the truth. Of rows with the same id none is releasable."""
    unreadable = ", ".join(f"'{name}'" for name, _, readable in TRICKS if not readable)
    names = noise.titled(c.happens("i", "title case", 0.3), "first_name", "middle_name", "last_name")
    place = noise.titled(c.happens("i", "title address", 0.4), "street", "city")
    hyphens = f"""CASE WHEN {c.happens("i", "hyphens", 0.4)}
          THEN tin_given[1:3] || '-' || tin_given[4:5] || '-' || tin_given[6:9] ELSE tin_given END"""
    return f"""
    WITH t AS (SELECT * REPLACE ({names}, {place}), {hyphens} AS tin_written FROM tricked)
    SELECT i, request_id,
      concat_ws(', ', concat_ws(' ', last_name, suffix), concat_ws(' ', first_name, middle_name)) AS full_name,
      first_name, middle_name, last_name, suffix,
      nullif(concat_ws(', ', street, unit, city, nullif(concat_ws(' ', state, zip), '')), '') AS address,
      nullif(street, '') AS street, unit, city, state, zip,
      strftime(birth_given, '%Y-%m-%d') AS birth_date, tin_written AS tin,
      taxable_period, reason, officer, final_order_date, judicial_order_date, removal_ground, case_number,
      record_id, address_defect, corroborated, legal_defect IS NULL AS legally_eligible,
      corroborated AND legal_defect IS NULL AND name_agrees AND (birth_agrees OR tin_agrees) AND NOT birth_conflicts
        AND NOT tin_conflicts
        AND count(*) OVER (PARTITION BY request_id) = 1 AND coalesce(trick NOT IN ({unreadable}), true) AS releasable
    FROM t"""
