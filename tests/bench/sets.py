"""Others' labelled sets as requests and a register: one pair of SELECTs a set, in the words of `linkage.COLUMNS`.

FEBRL 4 (Australian, in `linkage/febrl4`) and pseudopeople (a simulated US town, in `linkage/pseudopeople`); see the
README beside them. `person` says who a row is of; nothing else that tells it is used. Only what the contracts cannot
take is changed: forms of dates, and ZIPs (the postcode has four digits; pseudopeople's town has the ZIP 00000, which
stays).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# beside the project, or further up (a worktree may lie deeper)
DATA = next(
    (d for p in Path(__file__).resolve().parents[3:] if (d := p / "shared" / "data").exists()), Path("shared/data")
)
FEBRL, PSEUDO = DATA / "linkage" / "febrl4", DATA / "linkage" / "pseudopeople"


@dataclass(frozen=True)
class LabelledSet:
    """`floor`: the least share to be matched, of the requests whose person is on file. `with_near`: the least share to
    be matched or near; a name and an address alone are never released, so there it is the measure."""

    name: str
    requests: str
    register: str
    floor: float
    with_near: float = 0.0


def _febrl(file: str, *, number: bool) -> str:
    # a number of seven digits, as one of nine that can be an SSN
    tin = "CASE WHEN id <> '' THEN '1' || id[1:2] || id[3] || '1' || id[4:7] END"
    born = "born[1:4] || '-' || born[5:6] || '-' || born[7:8]"
    return f"""
    SELECT regexp_extract(rec_id, '[0-9]+') AS person, {tin if number else "NULL"} AS tin, nullif(given, '') AS
      first_name,
      NULL AS middle_name, nullif(surname, '') AS last_name, {born} AS birth_date,
      concat_ws(' ', number, street) AS street, NULL AS unit, suburb AS city, state, '0' || postcode AS zip
    FROM (SELECT trim(column00) AS rec_id, trim(column01) AS given, trim(column02) AS surname, trim(column03) AS number,
        trim(column04) AS street, trim(column06) AS suburb, trim(column07) AS postcode, trim(column08) AS state,
        trim(column09) AS born, trim(column10) AS id
      FROM read_csv('{FEBRL}/{file}', header = false, skip = 1, all_varchar = true))"""


def _table(name: str) -> str:
    return f"read_parquet('{PSEUDO}/{name}.parquet')"


def _iso(column: str) -> str:
    """A date as MM/DD/YYYY or YYYYMMDD, as one of ISO 8601; anything else stays and cannot be read."""
    return f"""CASE WHEN {column} LIKE '__/__/____' THEN {column}[7:10] || '-' || {column}[1:2] || '-' || {column}[4:5]
        WHEN length({column}) = 8 THEN {column}[1:4] || '-' || {column}[5:6] || '-' || {column}[7:8] ELSE {column}
          END"""


# one row a person, the creation of the number
_ROLL = (
    f"(FROM {_table('social_security')} QUALIFY row_number() OVER (PARTITION BY simulant_id ORDER BY event_type, ssn)"
    " = 1)"
)

_CENSUS = f"""
    SELECT c.simulant_id AS person, {{tin}} AS tin, c.first_name, middle_initial AS middle_name, c.last_name,
      {_iso("c.date_of_birth")} AS birth_date, nullif(concat_ws(' ', street_number, street_name), '') AS street,
      unit_number AS unit, city, state, zipcode AS zip
    FROM (FROM {_table("decennial_census")} QUALIFY row_number() OVER (PARTITION BY simulant_id ORDER BY household_id) =
      1) c
      LEFT JOIN {_ROLL} r ON r.simulant_id = c.simulant_id"""

_SSA = f"""
    SELECT simulant_id AS person, ssn AS tin, first_name, middle_name, last_name, {_iso("date_of_birth")} AS birth_date,
      NULL AS street, NULL AS unit, NULL AS city, NULL AS state, NULL AS zip
    FROM {_ROLL}"""


def _tax(name: str, tin: str) -> str:
    """A tax form's rows: no birth date stands on one. `tin`: SQL over ssn and place, the row's number."""
    return f"""
    SELECT simulant_id AS person, {tin} AS tin, first_name, middle_initial AS middle_name, last_name, NULL AS
      birth_date,
      coalesce('PO BOX ' || mailing_address_po_box, nullif(concat_ws(' ', mailing_address_street_number,
        mailing_address_street_name), '')) AS street,
      mailing_address_unit_number AS unit, mailing_address_city AS city, mailing_address_state AS state,
      mailing_address_zipcode AS zip
    FROM (SELECT *, file_row_number AS place FROM read_parquet('{PSEUDO}/{name}.parquet', file_row_number = true))"""


SETS = (
    LabelledSet(
        "FEBRL 4 with number", _febrl("dataset4a.csv", number=True), _febrl("dataset4b.csv", number=True), 0.606
    ),
    LabelledSet(
        "FEBRL 4 without number", _febrl("dataset4a.csv", number=False), _febrl("dataset4b.csv", number=False), 0.426
    ),
    LabelledSet("W-2 to census with SSN", _tax("taxes_w2_2020", "ssn"), _CENSUS.format(tin="r.ssn"), 0.857),
    LabelledSet(
        "the same, half without SSN",
        _tax("taxes_w2_2020", "CASE WHEN place % 2 = 0 THEN ssn END"),
        _CENSUS.format(tin="r.ssn"),
        0.42,
        0.754,
    ),
    LabelledSet("1040, no SSN, no birth date", _tax("taxes_1040", "NULL"), _CENSUS.format(tin="r.ssn"), 0.0, 0.684),
    LabelledSet(
        "1040, a relative's SSN",
        _tax("taxes_1040", "coalesce(spouse_ssn, dependent_1_ssn, dependent_2_ssn)"),
        _CENSUS.format(tin="r.ssn"),
        0.0,
    ),
    # 0.779 while a very rare name overcame another middle initial (16 rows of 7,840), and BABY was a given name (1)
    LabelledSet("census to SSA roll", _CENSUS.format(tin="NULL"), _SSA, 0.776),
)
