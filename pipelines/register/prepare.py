"""One range of the register prepared: standard names, parsed addresses, keys, name frequencies, units of buildings."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from expectations import address
from expectations.base import duck
from expectations.base.digests import name_of_sql
from expectations.base.errors import BadInput
from expectations.names import standard
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet
from pipelines.register import keys

PERSON = "s_first, s_middle, s_last, s_last1, s_last2, s_suffix, s_birth, s_birth_year_only, s_tin"
STORED = (
    "s_first, s_middle, s_last, s_suffix, s_birth"  # the rest of PERSON follows from it and the TIN's key: `people`
)
WRITTEN = ("street", "unit", "urbanization", "city", "state", "zip")
RAW_ADDRESS = ", ".join((*WRITTEN, "valid_from", "valid_to"))
PARSED = "a_kind, a_number, a_street, a_unit, a_urb, a_zip"  # what matching compares; the rest would cost a fifth more


class Range(NamedTuple):
    """What one part is made from: the persons with low <= record_id <= high, and their addresses."""

    number: int
    low: int
    high: int

    @property
    def within(self) -> str:
        """SQL: whether a record is one of them."""
        return f"record_id BETWEEN {self.low} AND {self.high}"


@dataclass(frozen=True)
class Prepare:
    """Worker: prepares one range into parts `persons`, `addresses`, `names` and `units` with the range's index."""

    persons: str  # FROM clauses of a `source.Source`
    addresses: str
    settings: duck.DuckSettings

    def __call__(self, item: Range, attempt: Attempt) -> Iterable[Part]:
        with quiet(f"register part {item.number}", self.settings.for_rows(item.high - item.low + 1)) as con:
            standard.setup(con)
            address.setup(con)
            con.execute(f"CREATE TEMP TABLE people AS {people_sql(f'(FROM {self.persons} WHERE {item.within})')}")
            persons, addresses = (duck.parquet([attempt.path(n, item.number)]) for n in ("persons", "addresses"))
            queries = {  # in the order in which they must run
                "persons": persons_sql("people"),
                "addresses": addresses_sql(f"(FROM {self.addresses} WHERE {item.within})", "people"),
                "names": names_sql(persons),
                "units": units_sql(addresses),
            }
            for dataset, query in queries.items():
                # uncompressed: every batch scans all of it, and unpacking costs more than reading
                copy(con, query, attempt.path(dataset, item.number), compression="uncompressed")
                yield attempt.part(dataset, item.number)
            doubled = con.execute(f"SELECT count(*) - count(DISTINCT record_id) FROM {persons}").fetchall()[0][0]
            if doubled:
                message, remedy = f"{doubled} record ids are duplicates", "Give each record an id of its own."
                raise BadInput("REGISTER_ID_TWICE", message, where="persons/", remedy=remedy)


@cache
def preparation() -> str:
    """Digest of how a register is prepared: what was prepared in another way must be prepared again."""
    queries = [people_sql("RAW"), persons_sql("PEOPLE"), addresses_sql("RAW", "PEOPLE"), names_sql("P"), units_sql("A")]
    queries.append(buildings_sql("U"))
    return name_of_sql([queries, standard.MACROS, address.version()])


def people_sql(raw: str) -> str:
    """Standardised raw persons, their texts as numbers: made once, for their own keys and those of their addresses."""
    return f"""
    SELECT record_id, {STORED}, s_birth_year_only, {keys.TIN} AS k_tin, {keys.TEXTS}
    FROM ({standard.derive_register(raw)})"""


def persons_sql(people: str) -> str:
    """Persons with their own keys, from `people_sql`, by record id."""
    return f"""
    SELECT record_id, {STORED}, k_tin,
      {keys.birth("t_last1")} AS k_birth1, {keys.birth("t_last2")} AS k_birth2
    FROM {people} ORDER BY record_id"""


def people(persons: str) -> str:
    """A FROM clause: record_id and PERSON of prepared `persons`. `standard.setup` must have run."""
    return f"(SELECT record_id, {STORED}, {standard.TOKENS}, std_tin_text(k_tin) AS s_tin FROM {persons})"


def addresses_sql(raw: str, people: str) -> str:
    """Raw and parsed addresses, with the keys that need both an address and its person, by record id and time.

    Households share an address: each is parsed once, with all who lived there in a list.
    """
    written = ", ".join(WRITTEN)
    stays = "list(struct_pack(record_id, valid_from, valid_to)) AS stays"
    once = f"(SELECT {written}, {stays} FROM {raw} GROUP BY {written})"
    return f"""
    WITH homes AS (
      SELECT {written}, {PARSED}, t_number, unnest(stays, recursive := true)
      FROM (SELECT *, {keys.PLACE_TEXTS} FROM ({address.derive(once, one_line=False, urbanization=True)}))
    )
    SELECT record_id, {RAW_ADDRESS}, {PARSED},
      {keys.home_last("t_last1")} AS k_home1, {keys.home_last("t_last2")} AS k_home2,
      {keys.HOME_FIRST} AS k_home_first, {keys.AREA_BIRTH} AS k_area_birth
    FROM homes JOIN {people} USING (record_id) ORDER BY record_id, {RAW_ADDRESS}"""


def names_sql(persons: str) -> str:
    """How many persons bear each given name, each middle initial and each first surname token."""
    return f"SELECT kind, name, count(*) AS n FROM ({borne_sql(persons)}) GROUP BY kind, name ORDER BY kind, name"


def borne_sql(persons: str) -> str:
    """Each (kind, name) that each person bears: given name, middle initial, first surname token."""
    names = {"first": "s_first", "middle": "s_middle", "last": "std_first_token(s_last)"}
    each = (f"SELECT '{kind}' AS kind, {name} AS name FROM {persons}" for kind, name in names.items())
    return f"SELECT * FROM ({' UNION ALL '.join(each)}) WHERE name IS NOT NULL"


def units_sql(addresses: str) -> str:
    """The distinct units on file in this range."""
    return f"""
    SELECT DISTINCT a_zip, a_number, a_street, a_unit FROM {addresses}
    WHERE a_kind = 'street'
      AND a_zip IS NOT NULL AND a_number IS NOT NULL AND a_street IS NOT NULL AND a_unit IS NOT NULL
    ORDER BY a_zip, a_number, a_street, a_unit"""


@dataclass(frozen=True)
class CountUnits:
    """Worker over all parts: dataset `buildings`, each building with two units or more anywhere in the register."""

    settings: duck.DuckSettings

    def __call__(self, parts: list[Part], attempt: Attempt) -> Iterable[Part]:
        units = duck.parquet([p.path for p in parts if p.dataset == "units"])
        with quiet("register buildings", self.settings) as con:
            copy(con, buildings_sql(units), attempt.path("buildings", 0))
            yield attempt.part("buildings", 0)


def buildings_sql(units: str) -> str:
    return f"""
    SELECT a_zip, a_number, a_street, CAST(count(DISTINCT a_unit) AS INTEGER) AS units FROM {units}
    GROUP BY a_zip, a_number, a_street HAVING count(DISTINCT a_unit) >= 2
    ORDER BY a_zip, a_number, a_street"""
