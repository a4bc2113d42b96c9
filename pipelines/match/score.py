"""One register part against all requests: what meets on a key, then evidence for those pairs alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from expectations import duck, standard
from pipelines.lake import Attempt, Part
from pipelines.match import evidence
from pipelines.match.steps import Step, execute
from pipelines.register import keys
from pipelines.register.prepare import PERSON, people
from pipelines.sql import copy, quiet

# A request that leads to more records than this says nothing of which is meant: it ends as ambiguous, never as unmatched.
CAP = 200

NICKNAMES = Path(__file__).with_name("nicknames.csv")


class RegisterPart(NamedTuple):
    """A piece of work: the persons and the addresses of one range of a register; the decoys' few go with the last one."""

    number: int
    persons: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """Worker: datasets `judged` (one row a pair) and `hot` (requests that a single key leads to too many records)."""

    requests: str
    keys: str
    settings: duck.DuckSettings

    def __call__(self, item: RegisterPart, attempt: Attempt) -> Iterable[Part]:
        with quiet(f"match.scored part {item.number}", self.settings) as con:
            standard.setup(con)
            files = ([self.requests], [self.keys], list(item.persons), list(item.addresses))
            execute(con, steps(*(duck.parquet(paths) for paths in files)))
            for dataset in ("judged", "hot"):
                copy(con, f"FROM {dataset}", attempt.path(dataset, item.number))
                yield attempt.part(dataset, item.number)


def steps(requests: str, request_keys: str, persons: str, addresses: str) -> list[Step]:
    """All steps over one register part; arguments can stand in FROM."""
    part = {"persons": persons, "addresses": addresses}
    return [
        Step("request_keys", "the keys of all requests: the build side of every join", f"\n    SELECT kind, key, ordinal FROM {request_keys}"),
        Step("hits", "records that meet a key; the register is only scanned", hits_sql(part)),
        Step("hot_keys", "keys that lead to too many records of this part", HOT_KEYS),
        Step("hot", "requests that have such a key", HOT),
        Step("pairs", "request and record, once", PAIRS),
        Step("requests", "the requests of these pairs", f"\n    SELECT * FROM {requests} SEMI JOIN pairs USING (ordinal)"),
        Step("people", "the records of these pairs", f"\n    SELECT record_id, {PERSON} FROM {people(persons)} SEMI JOIN pairs USING (record_id)"),
        Step("homes", "their addresses, current and earlier", f"\n    SELECT record_id, a_kind, a_number, a_street, a_unit, a_urb, a_zip FROM {addresses} SEMI JOIN pairs USING (record_id)"),
        Step("nicknames", "familiar forms of given names, both ways", NICKNAMES_SQL),
        *evidence.steps(),
    ]  # fmt: skip


def hits_sql(part: dict[str, str]) -> str:
    joins = [
        f"SELECT {keys.NUMBERS[kind]}::UTINYINT AS kind, key, record_id FROM {part[dataset]}"
        f" JOIN (SELECT DISTINCT key FROM request_keys WHERE kind = {keys.NUMBERS[kind]}) ON {column} = key"
        for kind, columns in keys.KINDS.items()
        for dataset, column in columns
    ]
    union = "\n      UNION ALL ".join(joins)
    return f"""
    SELECT DISTINCT kind, key, record_id FROM (
      {union}
    )"""


HOT_KEYS = f"""
    SELECT kind, key FROM hits GROUP BY kind, key HAVING count(*) > {CAP}"""

HOT = """
    SELECT DISTINCT ordinal FROM request_keys SEMI JOIN hot_keys USING (kind, key)"""

PAIRS = """
    SELECT DISTINCT ordinal, record_id FROM hits ANTI JOIN hot_keys USING (kind, key) JOIN request_keys USING (kind, key)"""

NICKNAMES_SQL = f"""
    WITH listed AS (
      SELECT replace(name, '.', '') AS name, replace(nickname, '.', '') AS nickname FROM read_csv({duck.quote(str(NICKNAMES))}, auto_detect = false, skip = 2, header = true, delim = ',',
        columns = {{'name': 'VARCHAR', 'nickname': 'VARCHAR'}})
    )
    SELECT name, nickname FROM listed UNION SELECT nickname, name FROM listed"""
