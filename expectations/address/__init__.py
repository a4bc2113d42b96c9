"""Addresses: complete by positive parse, in one standard form (Publication 28; DMM 602 1.3), as DuckDB SQL.

`setup` prepares a connection; `derive` gives the SQL that adds the parsed columns and the codes to a relation. Two
addresses are one if (a_kind, a_number, a_street, a_unit, a_urb, a_state, a_zip) are equal. The codes and what they
mean: `expectations.codes`.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from expectations.address import facilities as operators
from expectations.address import parse, patterns, reference, split, text, verdict
from expectations.base.digests import name_of_file, name_of_json, name_of_sql
from expectations.base.duck import DuckSettings, once, quote, session
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.contracts.stages import ADDRESS

COLUMNS = tuple(field.name for field in ADDRESS)
_PARTS = ("street", "unit", "city", "state", "zip")


def setup(connection: duckdb.DuckDBPyConnection, facilities: Path | None = None) -> None:
    """Makes macros and reference tables in the database of a session (about 0.2 s, the first time 1 s), once.

    `facilities`: an operator's own list, a CSV with a column `phrase`, `address` (one line) or both, on top of the one
    that comes with the package; raises BadInput if it cannot be read as that.
    """
    own = operators.read(facilities) if facilities else operators.Facilities()
    what = name_of_json([own.phrases, own.addresses])
    once(connection, "addresses", what, lambda: _make(connection, own, facilities))


def _make(connection: duckdb.DuckDBPyConnection, own: operators.Facilities, facilities: Path | None) -> None:
    for name, body in {**text.macros(), **_macros(own.phrases), "addr_facility_place": "false"}.items():
        connection.execute(f"CREATE OR REPLACE MACRO main.{name}(x) AS {body}")
    for name, (table, columns) in _tables().items():
        connection.register(f"{name}_source", table)
        connection.execute(f"CREATE OR REPLACE TABLE main.{name} AS SELECT {columns} FROM {name}_source")
        connection.unregister(f"{name}_source")
    if facilities and own.addresses:
        _use(connection, own, facilities)


@cache
def _tables() -> dict[str, tuple[pa.Table, str]]:
    """The reference tables, each with its columns as they are called in SQL."""
    of_zip = ", ".join(f"{column} AS z_{column}" for column in ("zip", "state", "type", "active", "city", "tail"))
    return {
        "addr_zips": (reference.zip_table(), of_zip),
        "addr_zip_lists": (reference.zip_list_table(), "zip AS l_zip, cities AS z_cities, tails AS z_tails"),
        **{f"addr_cities{words}": (reference.city_table(words), "*") for words in (1, 2, 3)},
        "addr_words_table": (reference.word_table(), "*"),
        "addr_states": (reference.state_table(), "*"),
        "addr_highways": (reference.mapping_table("highways"), "*"),
    }


def load() -> None:
    """Makes all that is made once, for a process from which others are forked: patterns, SQL, reference tables."""
    _tables()
    version()


@cache
def version() -> str:
    """Digest of all that decides how an address is read: macros, SQL, reference files.

    What was parsed under another version must be parsed again before it is compared.
    """
    queries = [derive("t", one_line=one_line, urbanization=True) for one_line in (False, True)]
    files = [name_of_file(path) for path in sorted(reference.DATA.iterdir())]
    return name_of_sql([text.macros(), _macros(()), queries, files])


def check(facilities: Path) -> operators.Facilities:
    """An operator's list, read and tried as `setup` will; raises BadInput if it cannot be used (about 1 s)."""
    with session() as connection:
        setup(connection, facilities)
    return operators.read(facilities)


def _use(connection: duckdb.DuckDBPyConnection, own: operators.Facilities, facilities: Path) -> None:
    """Makes the places of an operator's addresses known; raises BadInput naming the one at fault."""
    parsed = derive(_lines(own.addresses), one_line=True)
    query = f"SELECT address, CASE WHEN a_zip IS NOT NULL THEN {verdict.place_key()} END FROM ({parsed})"
    places = dict(connection.execute(query).fetchall())
    for number, line in enumerate(own.addresses, 1):
        if places.get(line) is None:
            operators.refuse(facilities, f"address {number} of the list of facilities is no full address")
    known = ", ".join(sorted(quote(place) for place in places.values()))
    connection.execute(f"CREATE OR REPLACE MACRO main.addr_facility_place(x) AS x IN ({known})")


def _macros(extra: tuple[str, ...]) -> dict[str, str]:
    """SQL of the macros of one argument, x, by name."""
    within, facility = patterns.placeholder_within(), patterns.facility(extra)
    return {
        **_unit_macros(),
        # by its name alone, as it is parsed from the street line
        "addr_urb": "nullif(regexp_replace(x, '^URB(?:ANIZACION)?(?: |$)', ''), '')",
        # asked of few texts: an extract is slower for each, and ready sooner, as a match is made ready twice
        "addr_junk_within": f"regexp_extract(x, {quote(within)}) <> ''",
        "addr_junk_whole": f"regexp_full_match(x, {quote(patterns.placeholder_whole())})",
        "addr_facility": f"regexp_matches(x, {quote(facility)})",
        "addr_suspect": f"regexp_matches(x, {quote(f'{within}|{facility}')})",
    }


def _unit_macros() -> dict[str, str]:
    """What a unit is called: APT 4, UNIT #4 and 4 are one; FL 4, BSMT and PMB 4 are others. Most are a plain number."""
    standard = "x"
    for pattern, written in patterns.kept_units():
        standard = f"regexp_replace({standard}, '{pattern}', '{written}', 'g')"
    words = "addr_words(regexp_replace(regexp_replace(x, '[^A-Z0-9]+', ' ', 'g'), '(^| )0+([0-9A-Z])', '\\1\\2', 'g'))"
    return {
        "addr_unit_kept": standard,
        "addr_unit_words": words,
        "addr_unit_dropped": f"addr_unit_words(regexp_replace(x, '{patterns.UNIT_DROP}', '\\1', 'g'))",
        "addr_unit_odd": (
            "CASE WHEN regexp_matches(x, '(^| )PMB( |#|[0-9])') THEN concat('PMB ', addr_unit_dropped(x))"
            f" WHEN regexp_matches(x, '{patterns.UNIT_KEPT}') THEN"
            # a building or a floor without its number is no unit
            " nullif(regexp_replace(addr_unit_dropped(addr_unit_kept(x)),"
            f" '(^| )(?:{patterns.UNIT_NUMBERED})$', ''), '') ELSE addr_unit_dropped(x) END"
        ),
        "addr_unit_plain": f"nullif(regexp_extract(x, '{patterns.UNIT_PLAIN}', 1), '')",
        "addr_unit": "coalesce(addr_unit_plain(x), addr_unit_odd(x))",
    }


def derive(
    relation: str,
    *,
    one_line: bool,
    urbanization: bool = False,
    premises: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> str:
    """SQL: every row of `relation` with the columns of `contracts.ADDRESS` added. `setup` must have run.

    relation      name or subquery with text columns street, unit, city, state, zip
    one_line      it also has `address`, used where all five parts are blank
    urbanization  it also has `urbanization` (Puerto Rico)
    premises      the requester's own addresses, one line each: REQUESTER_ADDRESS compares number, street and ZIP
    left_out      what the agreement lets be left out (state, city): no code then, and a_state is what the ZIP implies

    a_codes is the sorted list of codes that hold for the address alone, blocking and for-a-person; never null.
    """
    fields = (*(("address",) if one_line else ()), *_PARTS, *(("urbanization",) if urbanization else ()))
    parsed = ", ".join(c for c in COLUMNS if c != "a_codes")
    placed = split.left_out_stage(_placed("_asked", one_line, urbanization), left_out)
    same = " AND ".join(f"_given.{field} IS NOT DISTINCT FROM _read.{field}" for field in fields)
    # Each address is read once, and no stage carries more than its texts: what else a row has is joined to it again.
    # MATERIALIZED where reference tables have been joined: what follows would run once for each of the joins, its
    # patterns compiled anew each time (a join with few rows on its left becomes a right join, a pipeline of its own).
    return f"""
    WITH _given AS MATERIALIZED (SELECT * FROM {relation}),
    _asked AS (SELECT DISTINCT {", ".join(fields)} FROM _given),
    _placed AS MATERIALIZED ({placed}),
    _lines AS MATERIALIZED ({parse.line_stages("_placed")}),
    _finished AS MATERIALIZED ({verdict.finish_stage("_lines")}),
    _read AS (SELECT _row.*, {parsed}, {verdict.codes_sql()} AS a_codes
      FROM ({verdict.judge_stage("_finished", _own_sql(premises))}))
    SELECT _given.*, {", ".join(f"_read.{column}" for column in COLUMNS)} FROM _given JOIN _read ON {same}"""


def _placed(relation: str, one_line: bool, urbanization: bool) -> str:
    """A subquery: the raw fields cleaned and split, with what the ZIP is and the city it has."""
    blank = " AND ".join(f"nullif(trim({c}), '') IS NULL" for c in _PARTS)
    line = f"CASE WHEN {blank} THEN addr_line(address) END" if one_line else "CAST(NULL AS VARCHAR)"
    fields = [*_PARTS, *(["urbanization"] if urbanization else [])]
    urb = "addr_urb(nullif(_fields[6], ''))" if urbanization else "CAST(NULL AS VARCHAR)"
    cleaned = f"""(SELECT * EXCLUDE (_fields),
      {", ".join(f"nullif(_fields[{i}], '') AS _{f}_text" for i, f in enumerate(fields[:5], 1))},
      {urb} AS _urb_column FROM (SELECT _row, {line} AS _line, addr_fields({text.joined(fields)}) AS _fields
        FROM (SELECT _row, _row.* FROM {relation} _row)))"""
    cleaned = f"""(SELECT * REPLACE (
        CASE WHEN addr_junk_whole(_unit_text) AND NOT regexp_matches(_unit_text, '[0-9XZQ]') THEN NULL
          ELSE _unit_text END AS _unit_text) FROM {cleaned})"""
    split_up = split.state_stage(f"({split.zip_stage(cleaned)})") if one_line else split.parts_stage(cleaned)
    return f"({split.place_stage(f'({split_up})', one_line=one_line)})"


def _own_sql(premises: Sequence[str]) -> str:
    """SQL that is TRUE where a parsed address is one of the requester's own places, whatever the unit."""
    found = places(tuple(premises))
    return f"{verdict.place_key()} IN ({', '.join(map(quote, found))})" if found else "false"


@cache
def places(premises: tuple[str, ...]) -> tuple[str, ...]:
    """The places of addresses of one line, read here once: every query that names them would read them again."""
    if not premises:
        return ()
    query = f"SELECT DISTINCT {verdict.place_key()} AS place FROM ({derive(_lines(premises), one_line=True)})"
    with session(DuckSettings().for_rows(len(premises))) as connection:
        setup(connection)
        found = connection.execute(f"FROM ({query}) WHERE place IS NOT NULL ORDER BY place").fetchall()
    return tuple(place for (place,) in found)


def _lines(addresses: Sequence[str]) -> str:
    """A relation of addresses of one line each."""
    rows = ", ".join(f"({quote(a)})" for a in addresses)
    nulls = ", ".join(f"CAST(NULL AS VARCHAR) AS {c}" for c in _PARTS)
    return f"(SELECT address, {nulls} FROM (VALUES {rows}) AS _own(address))"


def complete(codes: str = "a_codes") -> str:
    """SQL that is TRUE where a list of codes holds no blocking address code; a null list is not complete."""
    blocking = ", ".join(quote(c) for c in BLOCKING_ADDRESS_CODES)
    return f"coalesce(NOT list_has_any({codes}, [{blocking}]), false)"
