"""Register parts against all requests: what meets on a key, then evidence for those pairs alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from expectations import duck, standard
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet
from pipelines.match import evidence
from pipelines.match.requests import requests_sql
from pipelines.match.steps import Step, execute
from pipelines.register import keys
from pipelines.register.opened import Scan

# A request that leads to more records than this says nothing of which is meant: it ends as ambiguous, never as unmatched.
CAP = 200
# Nor does a key that so many requests and records share that they make more pairs than this: 1.28 million requests of one
# address and one surname with 200 records on file would make 256 million. Up to FEW records, pairs grow with the batch alone.
PAIRS_OF_A_KEY, FEW = 200_000, 10

NICKNAMES = Path(__file__).with_name("nicknames.csv")


class Work(NamedTuple):
    """A piece of work: parts of registers to be scanned by one query, a few of the decoys' with the last."""

    number: int
    scan: Scan


@dataclass(frozen=True)
class Score:
    """Worker on all `rows`, their `keys`, and the `names` of a register with `persons` records.

    Datasets: `judged` (one row for each pair that may be one person), `met` (how many records each request met) and `hot`
    (requests that a single key leads to too many records).
    """

    rows: tuple[str, ...]
    keys: str
    names: str
    persons: int
    settings: duck.DuckSettings

    def __call__(self, item: Work, attempt: Attempt) -> Iterable[Part]:
        with quiet(f"match.scored {item.number}", self.settings) as con:
            standard.setup(con)
            requests = requests_sql(duck.parquet(list(self.rows)), duck.parquet([self.names]), self.persons)
            persons, addresses = duck.parquet(list(item.scan.persons)), duck.parquet(list(item.scan.addresses))
            execute(con, steps(requests, duck.parquet([self.keys]), persons, addresses, item.scan))
            for dataset in ("judged", "met", "hot"):
                copy(con, f"FROM {dataset}", attempt.path(dataset, item.number))
                yield attempt.part(dataset, item.number)


def steps(requests: str, request_keys: str, persons: str, addresses: str, scan: Scan) -> list[Step]:
    """All steps over one scan. `requests`: a SELECT; the next three can stand in FROM; `scan` says who in it is gone."""
    part = {"persons": persons, "addresses": addresses}
    return [
        Step("request_keys", "the keys of all requests: the build side of every join", f"\n    SELECT key, ordinal FROM {request_keys}"),
        Step("hits", "records that meet a key; the register is only scanned, keys and ids alone", hits_sql(part, scan)),
        Step("hot_keys", "keys that lead to too many records of this scan, or to too many pairs", HOT_KEYS),
        Step("hot", "requests that have such a key", HOT),
        Step("pairs", "request and record, once", PAIRS, ("hits", "hot_keys", "request_keys")),
        Step("met", "how many records each request met", "\n    SELECT ordinal, count(*) AS pairs FROM pairs GROUP BY ordinal"),
        Step("requests", "these requests, with the namesakes to expect", requests),
        Step("nicknames", "familiar forms of given names, both ways", NICKNAMES_SQL),
        *evidence.steps(persons, addresses),
    ]  # fmt: skip


def hits_sql(part: dict[str, str], scan: Scan) -> str:
    # not DISTINCT: a record meets a key twice only where it lived twice at one address
    joins = [
        f"SELECT {keys.of_kind(kind, column)} AS key, record_id FROM {part[dataset]}"
        f" SEMI JOIN ({keys.without_kind(kind, 'request_keys')}) ON {column} = key"
        for kind, columns in keys.KINDS.items()
        for dataset, column in columns
    ]
    union = "\n      UNION ALL ".join(joins)
    return f"""
    FROM {scan.left_out(f"({union})")}"""


# In two steps, because counting distinct records of every key costs more than the rest together.
HOT_KEYS = f"""
    WITH many AS MATERIALIZED (SELECT key, count(*) AS records FROM hits GROUP BY key HAVING count(*) > {FEW}),
    asked AS (SELECT key, count(*) AS requests FROM request_keys SEMI JOIN many USING (key) GROUP BY key)
    SELECT key FROM hits SEMI JOIN (FROM many WHERE records > {CAP}) USING (key) GROUP BY key HAVING count(DISTINCT record_id) > {CAP}
    UNION
    SELECT key FROM many JOIN asked USING (key) WHERE records * requests > {PAIRS_OF_A_KEY}"""

HOT = """
    SELECT DISTINCT ordinal FROM request_keys SEMI JOIN hot_keys USING (key)"""

PAIRS = """
    SELECT DISTINCT ordinal, record_id FROM hits ANTI JOIN hot_keys USING (key) JOIN request_keys USING (key)"""

NICKNAMES_SQL = f"""
    WITH listed AS (
      SELECT replace(name, '.', '') AS name, replace(nickname, '.', '') AS nickname FROM read_csv({duck.quote(str(NICKNAMES))}, auto_detect = false, skip = 2, header = true, delim = ',',
        columns = {{'name': 'VARCHAR', 'nickname': 'VARCHAR'}})
    )
    SELECT name, nickname FROM listed UNION SELECT nickname, name FROM listed"""
