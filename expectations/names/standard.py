"""Names, dates and numbers in one standard form: the same SQL for the register and for requests (matching.md).

`derive` adds the s_* columns of `contracts.STANDARD` to a relation of requests: first_name, middle_name, last_name,
suffix, full_name, birth_date and tin, all text. `derive_register` does so for a register's persons.
"""

import duckdb

from expectations.base.duck import once

SUFFIXES = "JR|SR|II|III|IV|V"
# How else they are written; 2ND, 3RD and 4TH have lost their digit in a standard name, and no name is ND, RD or TH.
OTHER_SUFFIXES = {"JUNIOR": "JR", "JNR": "JR", "SENIOR": "SR", "SNR": "SR", "SECOND": "II", "ND": "II"}
OTHER_SUFFIXES |= {"THIRD": "III", "RD": "III", "FOURTH": "IV", "TH": "IV"}
AT_END = f"{SUFFIXES}|JNR|SNR|ND|RD|TH"  # of a surname or a full name; Silva Junior is a surname
AMONG_GIVEN = "JR|SR|II|III|IV|JNR|SNR|JUNIOR|SENIOR"  # after a given name; V would be an initial
# What stands in the place of a middle name where somebody else filled in the form: a relation, an age or sex, a part in
# the household, a form of address, or that there is none (NMN: no middle name). It is no initial that could agree or
# conflict. Of middle names only: the few who do bear such a name lose an initial, no more.
NO_MIDDLE = (
    "(?:STEP|GRAND)?(?:MOTHER|FATHER|SON|DAUGHTER|CHILD|CHILDREN|BROTHER|SISTER)|HUSBAND|WIFE|SPOUSE|PARTNER"
    "|NEPHEW|NIECE|COUSIN|UNCLE|AUNT|TWIN|MALE|FEMALE|MAN|WOMAN|BOY|GIRL|BABY|INFANT|NEWBORN|ADULT|MINOR|PERSON"
    "|LADY|GENTLEMAN|RESIDENT|OCCUPANT|TENANT|OWNER|ROOMMATE|HOUSEMATE|BOARDER|LODGER|RESPONDENT|FRIEND|NEIGHBOU?R"
    "|SELF|MR|MRS|MS|MISS|MISTER|HIJO|HIJA|ESPOSO|ESPOSA|MADRE|PADRE"
    "|HERMANO|HERMANA|SENORA?|NMN|NMI|NONE|UNKNOWN|UNK|ANONYMOUS"
)
# What stands in the place of a given name and names nobody: an initial, a child not yet named, a form of address.
# Twins share each of them.
NO_GIVEN = (
    "[A-Z]|BABY|BABYBOY|BABYGIRL|BOY|GIRL|INFANT|NEWBORN|TWIN|TRIPLET|CHILD|DAUGHTER|MALE|FEMALE|MR|MRS|MS|MISS|MISTER"
    "|WIFE|HUSBAND|SPOUSE|FNU|LNU|NFN|NLN|NMN|TBD|UNK|UNKNOWN|NONE|ANONYMOUS|RESIDENT|OCCUPANT"
)

# Each is the one definition for all its uses.
_MACROS = {
    # strip accents and apostrophes, anything else that is not a letter becomes one space; most names are plain letters
    "std_name x": (
        "CASE WHEN regexp_full_match(CAST(x AS VARCHAR), '[A-Za-z]+') THEN upper(CAST(x AS VARCHAR)) ELSE"
        " nullif(trim(regexp_replace(regexp_replace(upper(strip_accents(nfc_normalize(CAST(x AS VARCHAR)))),"
        " '[''’ʼ`´.]', '', 'g'), '[^A-Z]+', ' ', 'g')), '') END"
    ),
    # names x once: a CASE would repeat all that is inside x at each WHEN
    "std_suffix_word x": "(MAP {})[x]".format({**OTHER_SUFFIXES, **{suffix: suffix for suffix in SUFFIXES.split("|")}}),
    "std_suffix_in x": f"CASE WHEN contains(x, ' ') THEN std_suffix_word(regexp_extract(x, '[ ]({AT_END})$', 1)) END",
    "std_without_suffix x": (
        f"CASE WHEN contains(x, ' ') THEN nullif(trim(regexp_replace(x, '[ ]({AT_END})$', '')), '')"
        " ELSE nullif(x, '') END"
    ),
    # a suffix among the given names: PAUL JR in the field of the first name, or JR in that of the middle name
    "std_suffix_given x": (
        f"CASE WHEN length(x) > 1 THEN std_suffix_word(regexp_extract(x, '(?:^|[ ])({AMONG_GIVEN})$', 1)) END"
    ),
    "std_without_given x": (
        f"CASE WHEN length(x) > 1 THEN nullif(regexp_replace(x, '(?:^|[ ])({AMONG_GIVEN})$', ''), '') ELSE x END"
    ),
    "std_first x": "CASE WHEN contains(x, ' ') THEN std_without_given(x) ELSE nullif(x, '') END",
    "std_no_given x": f"length(x) = 1 OR regexp_full_match(x, '(?:{NO_GIVEN})(?: (?:{NO_GIVEN}))*')",
    # the initial of a middle name, unless its first word is no name
    "std_middle x": (
        f"CASE WHEN length(x) > 1 AND regexp_matches(x, '^(?:{NO_MIDDLE})(?: |$)') THEN NULL ELSE nullif(x[1], '') END"
    ),
    # the first and the last word of a surname
    "std_first_token x": "CASE WHEN contains(x, ' ') THEN x[1:position(' ' IN x) - 1] ELSE x END",
    "std_last_token x": "CASE WHEN contains(x, ' ') THEN string_split(x, ' ')[-1] ELSE x END",
    "std_suffix_named x": "(MAP {'2': 'II', '3': 'III', '4': 'IV'})[trim(CAST(x AS VARCHAR))]",
    "std_suffix x": "coalesce(std_suffix_named(x), std_suffix_word(std_name(x)))",
    "std_date x": (
        "CASE WHEN regexp_full_match(trim(CAST(x AS VARCHAR)), '[0-9]{4}-[0-9]{2}-[0-9]{2}')"
        " THEN try_cast(trim(CAST(x AS VARCHAR)) AS DATE) END"
    ),
    "std_digits x": (
        "CASE WHEN regexp_full_match(CAST(x AS VARCHAR), '[0-9]+') THEN CAST(x AS VARCHAR)"
        " ELSE nullif(regexp_replace(CAST(x AS VARCHAR), '[^0-9]', '', 'g'), '') END"
    ),
    "std_day d": "CASE WHEN d BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN d END",
    # 1 January stands for "the year only is known" in many files
    "std_year_only d": "coalesce(month(d) = 1 AND day(d) = 1, false)",
    # SSN: area not 000, 666, 9xx; group not 00; serial not 0000; not 078-05-1120. ITIN: 9xx, digits 4-5 in 50-65,
    # 70-88, 90-92, 94-99. ATIN: 93 (IRS). Sentinels such as 111111111 and 123456789 stand for "unknown" in many files.
    "std_tin_ok d": (
        "length(d) = 9 AND d <> '078051120' AND d <> '123456789' AND d <> '219099999' AND d <> repeat(d[1], 9)"
        " AND CASE WHEN d[1] = '9' THEN regexp_full_match(d[4:5], '5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-9]')"
        " ELSE d[1:3] NOT IN ('000', '666') AND d[4:5] <> '00' AND d[6:9] <> '0000' END"
    ),
    "std_tin_text n": "lpad(CAST(n AS VARCHAR), 9, '0')",  # a number kept as an integer, read back
    "std_tin x": "CASE WHEN std_tin_ok(std_digits(CAST(x AS VARCHAR))) THEN std_digits(CAST(x AS VARCHAR)) END",
}
MACROS = [(*called.split(), sql) for called, sql in _MACROS.items()]  # name, parameter, SQL


def setup(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the macros in the database of a session, once."""
    once(connection, "names", "", lambda: _make(connection))


def _make(connection: duckdb.DuckDBPyConnection) -> None:
    for name, parameters, body in MACROS:
        connection.execute(f"CREATE OR REPLACE MACRO main.{name}({parameters}) AS {body}")


def derive(relation: str) -> str:
    """A SELECT of a submission's `relation.*` (text) with the s_* columns added, without request_key; needs `setup`.

    full_name stands in where the parts are blank: "LAST, FIRST MIDDLE", or given names first (first word, last word; a
    two-word surname needs the parts or the comma).
    """
    # Each stage names a column of the one before it: a macro repeats its argument, and all that is inside it.
    return f"""
    WITH whole AS (
      SELECT *, coalesce(full_name, '') AS _whole, position(',' IN _whole) > 0 AS _comma,
        split_part(_whole, ',', 1) AS _part1, nullif(split_part(_whole, ',', 2), '') AS _part2 FROM {relation}
    ), named AS (
      SELECT *, std_suffix(_part2) AS _part2_suffix, std_name(_part1) AS _before, std_name(_part2) AS _after,
        std_name(_whole) AS _full, std_name(first_name) AS _first, std_name(middle_name) AS _middle,
        std_name(last_name) AS _last FROM whole
    ), given AS (
      SELECT *, std_without_suffix(CASE WHEN _comma AND _part2_suffix IS NULL THEN _after ELSE _before END) AS _given
      FROM named
    ), split AS (
      SELECT *, coalesce(_first, split_part(_given, ' ', 1)) AS _f,
        coalesce(_middle, CASE WHEN _first IS NULL
          AND array_length(string_split(_given, ' ')) > CASE WHEN _comma THEN 1 ELSE 2 END
          THEN string_split(_given, ' ')[2] END) AS _m,
        coalesce(_last, CASE WHEN _comma AND _part2_suffix IS NULL THEN _before
          WHEN array_length(string_split(_given, ' ')) > 1 THEN string_split(_given, ' ')[-1] END) AS _l FROM given
    ), standard AS (
      SELECT * EXCLUDE (_whole, _comma, _part1, _part2, _part2_suffix, _before, _after, _full, _first, _middle, _last,
          _given, _f, _m, _l),
        std_first(_f) AS s_first, std_middle(std_without_given(_m)) AS s_middle, std_without_suffix(_l) AS s_last,
        coalesce(std_suffix(suffix), std_suffix_in(_l), std_suffix_in(_full), _part2_suffix, {AMONG}) AS s_suffix,
        std_date(birth_date) AS s_birth, std_tin(tin) AS s_tin FROM split
    )
    SELECT *, {TOKENS} FROM standard"""


def derive_register(relation: str) -> str:
    """record_id and the s_* columns of a register's persons (names in parts, birth_date a date)."""
    return f"""
    WITH names AS (
      SELECT *, std_name(first_name) AS _f, std_name(middle_name) AS _m, std_name(last_name) AS _l FROM {relation}
    ), standard AS (
      SELECT record_id, std_first(_f) AS s_first, std_middle(std_without_given(_m)) AS s_middle,
        std_without_suffix(_l) AS s_last,
        coalesce(std_suffix(suffix), std_suffix_in(_l), {AMONG}) AS s_suffix, std_day(birth_date) AS s_birth,
        std_tin(tin) AS s_tin FROM names
    )
    SELECT *, {TOKENS} FROM standard"""


# SQL: a suffix that stands among the given names; a first name that is nothing else stays a name (Junior).
AMONG = "std_suffix_given(_m), CASE WHEN contains(_f, ' ') THEN std_suffix_given(_f) END"

# Read off the columns above: the surname's tokens (equal if it is one word), whether the birth date is a year only.
TOKENS = (
    "std_first_token(s_last) AS s_last1, std_last_token(s_last) AS s_last2, std_year_only(s_birth) AS s_birth_year_only"
)
