"""How well the match stage finds people in others' labelled sets: released, false, recall, through `match.match_file`.

A fifth of the people is taken out of the register, so that many requests ask for nobody who is on file.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from expectations.base import duck
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from pipelines import match
from tests.bench import groups
from tests.bench.sets import FEBRL, PSEUDO, SETS, LabelledSet

ONE = duck.DuckSettings(threads=1)
COLUMNS = "first_name, middle_name, last_name, tin, birth_date, street, unit, city, state, zip"


@dataclass(frozen=True)
class Found:
    """`on_file`: requests whose person is in the register; `released`, `near`: how many ended so, of all; `false`:
    released for someone else; `true_near`: near, and one of those on file."""

    on_file: int
    released: int
    false: int
    true_near: int

    @property
    def recall(self) -> float:
        return (self.released - self.false) / self.on_file

    @property
    def with_near(self) -> float:
        return self.recall + self.true_near / self.on_file

    def __str__(self) -> str:
        return (
            f"released {self.released:>7,}, false {self.false:>4,}, recall {self.recall:.3f}, with near"
            f" {self.with_near:.3f}"
        )


def run(labelled: LabelledSet, folder: Path) -> Found:
    """Builds the set's requests and register in `folder`, matches them, and counts."""
    write(labelled, folder)
    match.match_file(
        folder / "requests.parquet", folder / "register", folder / "out.parquet", duck=ONE, progress=lambda *_: None
    )
    return count(folder)


def write(labelled: LabelledSet, folder: Path) -> None:
    """`folder/register` (raw), `folder/requests.parquet` and `folder/truth.parquet` (request_id, record_id or null)."""
    with duck.session(ONE) as con:
        con.execute(f"""CREATE TEMP TABLE file AS SELECT row_number() OVER (ORDER BY person) AS record_id, *
            FROM ({labelled.register}) WHERE md5_number_lower(person) % 5 <> 0""")
        con.execute(f"CREATE TEMP TABLE asked AS SELECT row_number() OVER () AS id, * FROM ({labelled.requests})")
        _write_register(con, folder / "register")
        con.execute(
            f"COPY (SELECT CAST(id AS VARCHAR) AS request_id, {COLUMNS} FROM asked ORDER BY id) TO"
            f" '{folder}/requests.parquet'"
        )
        con.execute(
            f"""COPY (
              SELECT CAST(id AS VARCHAR) AS request_id, record_id FROM asked LEFT JOIN file USING (person) ORDER BY id
            ) TO '{folder}/truth.parquet'"""
        )


def _write_register(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The table `file` as a raw register; rows without a street have no address on file."""
    made = {"suffix": "NULL", "birth_date": "try_cast(birth_date AS DATE)", "urbanization": "NULL"}
    made |= {"valid_from": "DATE '2015-01-01'", "valid_to": "NULL"}
    types = {"string": "VARCHAR", "int64": "BIGINT", "date32[day]": "DATE"}
    for table, schema, where in (
        ("persons", REGISTER_PERSON, "true"),
        ("addresses", REGISTER_ADDRESS, "street IS NOT NULL"),
    ):
        (folder / table).mkdir(parents=True)
        columns = ", ".join(f"CAST({made.get(f.name, f.name)} AS {types[str(f.type)]}) AS {f.name}" for f in schema)
        con.execute(f"COPY (SELECT {columns} FROM file WHERE {where}) TO '{folder}/{table}/part-0.parquet'")


def count(folder: Path) -> Found:
    """What came out in `folder/out.parquet`, against `folder/truth.parquet`."""
    with duck.session(ONE) as con:
        return Found(
            *con.execute(f"""
            SELECT count(t.record_id), count(*) FILTER (outcome = 'matched'),
              count(*) FILTER (outcome = 'matched' AND o.record_id IS DISTINCT FROM t.record_id),
              count(*) FILTER (outcome = 'near' AND t.record_id IS NOT NULL)
            FROM '{folder}/out.parquet' o JOIN '{folder}/truth.parquet' t USING (request_id)""").fetchall()[0]
        )


def main() -> None:
    """Prints a line a set, and what was found by group of people."""
    if not (FEBRL.exists() and PSEUDO.exists()):
        print("linkage: skipped, the labelled sets are not here")
        return
    for labelled in SETS:
        with tempfile.TemporaryDirectory() as place:
            found = run(labelled, Path(place))
            print(f"linkage, {labelled.name:26}: {found.on_file:>6,} on file, {found}")
            files = ("requests.parquet", "register", "truth.parquet", "out.parquet")
            for group in groups.found(*(Path(place) / name for name in files)):
                print(f"    {group}")
