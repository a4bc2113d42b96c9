"""From blocking keys to candidate pairs: a request and a record are compared only if they share a blocking key.

A *block* is all records and requests of one key. The register is only scanned, keys and ids alone.
"""

from pipelines.match.steps import Step
from pipelines.register import keys
from pipelines.register.opened import Scan, without

# A request with more candidate pairs than this says nothing of which record is meant: it ends as ambiguous, never as
# unmatched. So does one in a block of more records.
MAX_RECORDS = 200
# Nor does a block whose requests and records make more pairs than this: 1.28 million requests of one address and one
# surname with 200 records on file would make 256 million. Up to SMALL_BLOCK records, pairs grow with the batch alone.
MAX_PAIRS, SMALL_BLOCK = 200_000, 10

# Kind of key → SQL of the keys that a request has of it; the last of several: the two names in each other's field.
OF_REQUESTS: dict[str, tuple[str, ...]] = {
    "tin": (keys.TIN,),
    "birth": (keys.birth("t_last1"), keys.birth("t_last2"), keys.birth("t_first", given="s_last")),
    "home_last": (keys.home_last("t_last1"), keys.home_last("t_last2"), keys.home_last("t_first")),
    "home_first": (keys.HOME_FIRST, keys.home_first("t_last1")),
    "area_birth": (keys.AREA_BIRTH,),
}
if OF_REQUESTS.keys() != keys.KEYS.keys():
    raise TypeError("each blocking key of the register needs its SQL for requests")


def request_keys_sql(rows: str) -> str:
    """Every blocking key of every open row: key (with its kind and side) and ordinal."""
    each = ",\n        ".join(keys.of_kind(kind, key, "side") for kind, made in OF_REQUESTS.items() for key in made)
    return f"""
    SELECT key, ordinal FROM (
      SELECT ordinal, unnest([
        {each}]) AS key
      FROM (
        SELECT *, {keys.TEXTS},
          {keys.PLACE_TEXTS},
          {keys.SIDE_OF_ROW} AS side
        FROM {rows} WHERE outcome IS NULL)
    ) WHERE key IS NOT NULL"""


def steps(request_keys: str, persons: str, addresses: str, scan: Scan) -> list[Step]:
    """Over one scan of the register. The first three can stand in FROM; `scan` says which of its records are gone."""
    asked = f"\n    SELECT key, ordinal FROM {request_keys}"
    shared = _blocks_sql({"persons": persons, "addresses": addresses}, scan)
    return [
        Step("request_keys", "blocking keys of all requests: the build side of every join", asked),
        Step("blocks", "records of this scan that share a blocking key with a request", shared),
        Step("oversized_blocks", "keys with too many records of this scan, or too many pairs", OVERSIZED_BLOCKS),
        Step("oversized", "requests in an oversized block", OVERSIZED),
        Step(
            "candidate_pairs",
            "request and record, once, with the kinds of the keys that they share",
            CANDIDATE_PAIRS,
            ends=_JOINED,
        ),
        Step("pair_counts", "how many candidate pairs each request has", PAIR_COUNTS),
    ]


def _blocks_sql(register: dict[str, str], scan: Scan) -> str:
    # not DISTINCT: a record has a key twice only where it lived twice at one address
    joins = [
        f"SELECT {keys.of_kind(kind, column, keys.SIDE_OF_RECORD)} AS key, record_id FROM {register[dataset]}\n"
        f"        SEMI JOIN ({keys.without_kind(kind, 'request_keys')}) ON {column} = key"
        for kind, key in keys.KEYS.items()
        for dataset, column in key.columns
    ]
    union = "\n      UNION ALL ".join(joins)
    return f"\n    FROM {without(scan.gone, f'({union})')}"


# In two steps, because counting distinct records of every key costs more than the rest together.
OVERSIZED_BLOCKS = f"""
    WITH large AS MATERIALIZED (
      SELECT key, count(*) AS records FROM blocks GROUP BY key HAVING count(*) > {SMALL_BLOCK}),
    asked AS (SELECT key, count(*) AS requests FROM request_keys SEMI JOIN large USING (key) GROUP BY key)
    SELECT key FROM blocks SEMI JOIN (FROM large WHERE records > {MAX_RECORDS}) USING (key)
    GROUP BY key HAVING count(DISTINCT record_id) > {MAX_RECORDS}
    UNION
    SELECT key FROM large JOIN asked USING (key) WHERE records * requests > {MAX_PAIRS}"""

OVERSIZED = "\n    SELECT DISTINCT ordinal FROM request_keys SEMI JOIN oversized_blocks USING (key)"

CANDIDATE_PAIRS = f"""
    SELECT ordinal, record_id, CAST(bit_or({keys.kind_bit("key")}) AS UTINYINT) AS kinds
    FROM blocks ANTI JOIN oversized_blocks USING (key) JOIN request_keys USING (key)
    GROUP BY ordinal, record_id"""
_JOINED = ("blocks", "oversized_blocks", "request_keys")
PAIR_COUNTS = "\n    SELECT ordinal, count(*) AS pairs FROM candidate_pairs GROUP BY ordinal"
