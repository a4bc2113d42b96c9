"""One scan of the register against all requests: blocking, then comparison and classification of candidate pairs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from expectations.base import duck
from expectations.contracts.lists import Origin
from expectations.names import given, standard
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet
from pipelines.match import bits, blocking, plausible, tiers, tried, weight
from pipelines.match.comparisons import BESIDE_NAMES, EVIDENCE, NAMES
from pipelines.match.comparisons.address import SIMILAR_STREET
from pipelines.match.comparisons.level import Comparison
from pipelines.match.comparisons.tin import TIN
from pipelines.match.requests import requests_sql
from pipelines.match.steps import Step, execute
from pipelines.match.vetoes import PAIR_VETOES
from pipelines.register.opened import Scan

NICKNAMES = Path(__file__).with_name("nicknames.csv")
DATASETS = ("classified", "pair_counts", "oversized", "tried")


@dataclass(frozen=True)
class Compare:
    """Worker on one scan and its number, for all `rows`, their `keys`, and the `names` in registers of `persons`.

    Datasets: `classified` (one row for each pair that may be one person), `pair_counts` (candidate pairs of each
    request), `oversized` (requests in an oversized block) and `tried` (pairs that a try, or a rival, can come from).
    """

    rows: tuple[str, ...]
    keys: str
    names: str
    persons: Mapping[Origin, int]
    settings: duck.DuckSettings

    def __call__(self, item: tuple[int, Scan], attempt: Attempt) -> Iterable[Part]:
        number, scan = item
        with quiet(f"match.compared {number}", self.settings) as con:
            standard.setup(con)
            requests = requests_sql(duck.parquet(list(self.rows)), duck.parquet([self.names]), self.persons)
            persons, addresses = duck.parquet(list(scan.persons)), duck.parquet(list(scan.addresses))
            execute(con, steps(requests, duck.parquet([self.keys]), persons, addresses, scan))
            for dataset in DATASETS:
                copy(con, f"FROM {dataset}", attempt.path(dataset, number))
                yield attempt.part(dataset, number)


def steps(requests: str, request_keys: str, persons: str, addresses: str, scan: Scan) -> list[Step]:
    """All steps over one scan. `requests`: a SELECT; the next three stand in FROM; `scan` says who in it is gone."""
    return [*blocking.steps(request_keys, persons, addresses, scan), *pair_steps(requests, persons, addresses)]


def pair_steps(requests: str, persons: str, addresses: str) -> list[Step]:
    """From table candidate_pairs to `classified`: `persons` and `addresses` are scanned once more, for these pairs."""
    home = _addresses_compared_sql(addresses)
    return [
        Step("requests", "these requests, with the namesakes to expect", requests),
        Step("nicknames", "familiar forms of given names, both ways", NICKNAMES_SQL),
        Step("given_names", "given names in use, and the share of men among their bearers", GIVEN_NAMES_SQL),
        Step(
            "names_compared",
            "pairs whose names may be the same, or whose given names or TINs are: nothing else is compared further",
            _names_compared_sql(persons),
            ends=("candidate_pairs",),
        ),
        Step("addresses_compared", "pairs with an address on file in the request's building, current or earlier", home),
        Step("compared", "the level of each comparison", COMPARED, ends=_JOINED),
        Step("tried", "which pairs would match with one value replaced, and which others stand anyway", tried.TRIED),
        Step("classified", "tier, vetoes, evidence, plausible", CLASSIFIED, ends=("compared",)),
    ]


NICKNAMES_SQL = f"""
    WITH listed AS (
      SELECT replace(name, '.', '') AS name, replace(nickname, '.', '') AS nickname
      FROM read_csv({duck.quote(str(NICKNAMES))}, auto_detect = false, skip = 2, header = true, delim = ',',
        columns = {{'name': 'VARCHAR', 'nickname': 'VARCHAR'}})
    )
    SELECT name, nickname FROM listed UNION SELECT nickname, name FROM listed"""

# What the list of familiar forms has are names in use, too.
GIVEN_NAMES_SQL = f"""
    SELECT name, max(male) AS male
    FROM ({given.in_use()} UNION ALL SELECT name, NULL FROM nicknames)
    GROUP BY name"""


_JOINED = ("names_compared", "addresses_compared", "requests")  # into `compared`


def _levels(comparisons: Iterable[Comparison]) -> str:
    return ",\n      ".join(comparison.sql for comparison in comparisons)


def _in_use(side: str, listed: str) -> str:
    """SQL: whether a given name is one in use. Several words are: no list has all that people put together."""
    return f"({listed}.name IS NOT NULL OR contains({side}.s_first, ' '))"


def _listed(side: str, other: str) -> str:
    """SQL: the given name as the list has it, where it differs from the other one. In the key: a join with a further
    condition of its own compares every pair with every name of the list."""
    return f"CASE WHEN {side}.s_first <> {other}.s_first THEN replace({side}.s_first, ' ', '') END"


# CASE, because the costly similarity runs on those rows only where equality failed. Most pairs are members of one
# household: what their names rule out costs nothing more.
def _names_compared_sql(persons: str) -> str:
    return f"""
    SELECT ordinal, record_id, kinds, first_name, last_name, name_order, file_middle, file_suffix, file_birth, file_tin
    FROM (
      SELECT *,
      {_levels(NAMES)}
      FROM (
        SELECT p.ordinal, p.record_id, p.kinds, r.s_first, r.s_last, r.s_last1, r.s_last2, r.k_tin,
          f.s_first AS file_first, f.s_last AS file_last, f.s_middle AS file_middle, f.s_suffix AS file_suffix,
          f.s_birth AS file_birth, f.k_tin AS file_tin, n.name IS NOT NULL AS nickname,
          {_in_use("r", "ga")} AS asked_in_use, ga.male AS asked_male,
          {_in_use("f", "gf")} AS on_file_in_use, gf.male AS on_file_male,
          CASE WHEN r.s_first = f.s_first THEN 1
            ELSE coalesce(jaro_winkler_similarity(r.s_first, f.s_first), 0) END AS first_similarity,
          CASE WHEN r.s_last = f.s_last THEN 1
            ELSE coalesce(jaro_winkler_similarity(r.s_last, f.s_last), 0) END AS last_similarity
        FROM {persons} f JOIN candidate_pairs p USING (record_id) JOIN requests r USING (ordinal)
        LEFT JOIN nicknames n ON n.name = r.s_first AND n.nickname = f.s_first
        LEFT JOIN given_names ga ON ga.name = {_listed("r", "f")}
        LEFT JOIN given_names gf ON gf.name = {_listed("f", "r")}))
    WHERE {plausible.NAMES} OR k_tin = file_tin OR {tiers.SAME_FIRST}"""


def _addresses_compared_sql(addresses: str) -> str:
    return f"""
    SELECT p.ordinal, p.record_id,
      bool_or(r.a_unit IS NOT DISTINCT FROM f.a_unit) AS unit_agrees,
      bool_or(r.a_unit IS NULL OR f.a_unit IS NULL) AS unit_missing
    FROM {addresses} f JOIN names_compared p USING (record_id) JOIN requests r ON r.ordinal = p.ordinal
      AND f.a_zip = r.a_zip AND f.a_number = r.a_number AND f.a_kind = r.a_kind
    WHERE (r.a_street = f.a_street OR jaro_winkler_similarity(r.a_street, f.a_street) >= {SIMILAR_STREET})
      AND (r.a_urb IS NULL OR f.a_urb IS NULL OR r.a_urb = f.a_urb)
    GROUP BY p.ordinal, p.record_id"""


COMPARED = f"""
    SELECT ordinal, record_id, kinds, namesakes, middle_share,
      first_name, last_name, name_order,
      {_levels(BESIDE_NAMES)}
    FROM names_compared JOIN requests USING (ordinal) LEFT JOIN addresses_compared USING (ordinal, record_id)"""

CLASSIFIED = f"""
    SELECT ordinal, record_id, {TIN.at("same")} AS tin_same, vetoes,
      {tiers.SQL} AS tier,
      {plausible.SQL} AS plausible,
      {bits.pack(EVIDENCE.values())} AS evidence,
      {weight.SQL} AS weight
    FROM (
      SELECT *, {bits.pack(veto.when for veto in PAIR_VETOES)} AS vetoes
      FROM compared WHERE {plausible.NAMES} OR {TIN.at("same")})"""
