"""The tables of a suite: however many are made at a time, they are what one after the other would be."""

from __future__ import annotations

import random
import time
from pathlib import Path
from threading import Event

import duckdb
import pyarrow as pa
import pytest

from expectations.base.duck import DuckSettings, session
from expectations.gx.tables import Table, prepare


def made(tables: dict[str, Table], folder: Path, few: bool) -> tuple[dict[str, str], dict[str, object]]:
    """What broke, and the rows of each table that did not."""
    with session(DuckSettings().for_rows(1)) as connection:
        broken = prepare(connection, (), tables, folder, few=few)
        kept = [name for name in tables if name not in broken]
        return broken, {name: sorted(connection.execute(f'FROM "{name}"').fetchall()) for name in kept}


def total(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    time.sleep(0.05)
    return connection.execute("SELECT sum(n) AS n FROM first").to_arrow_table()


CASES: dict[str, dict[str, Table]] = {
    "none": {},
    "a chain": {
        "first": "SELECT range AS n FROM range(5)",
        "second": "(SELECT n + 1 AS n FROM first)",
        "third": "WITH m AS (FROM second) SELECT n FROM m",
    },
    "one that is worked out otherwise, and is read": {
        "first": "SELECT 7 AS n",
        "summed": total,
        "after": "SELECT n FROM summed",
    },
    "what reads a broken one is broken, and nothing else": {
        "first": "SELECT 1 AS n",
        "wrong": "SELECT nothing FROM first",
        "after": "SELECT * FROM wrong",
        "beside": "SELECT n FROM first",
    },
    "a view of nothing": {"view": "(SELECT n FROM nowhere)", "first": "SELECT 1 AS n"},
}


@pytest.mark.parametrize("case", CASES)
def test_side_by_side_is_as_one_after_the_other(case: str, tmp_path: Path) -> None:
    assert made(CASES[case], tmp_path, few=True) == made(CASES[case], tmp_path, few=False)


def test_what_breaks_is_named_by_its_type_alone(tmp_path: Path) -> None:
    broken, _ = made(CASES["what reads a broken one is broken, and nothing else"], tmp_path, few=True)
    assert broken == {"wrong": "BinderException", "after": "CatalogException"}


@pytest.mark.parametrize("seed", range(5))
def test_many_that_read_each_other(seed: int, tmp_path: Path) -> None:
    chance, tables = random.Random(seed), dict[str, Table]()
    for n in range(30):
        read = chance.sample(list(tables), min(n, chance.randrange(4)))
        query = " UNION ALL ".join(["SELECT 1 AS n", *(f"SELECT max(n) + 1 FROM t{name[1:]}" for name in read)])
        tables[f"t{n}"] = query if chance.random() < 0.7 else f"({query})"
    assert made(tables, tmp_path, few=True) == made(tables, tmp_path, few=False)


def test_what_says_what_it_reads_waits_for_nothing_else(tmp_path: Path) -> None:
    made_early = Event()

    class Slow:
        reads = ()

        def __call__(self, _: duckdb.DuckDBPyConnection) -> pa.Table:
            return pa.table({"was_early": [made_early.wait(20)]})

    class Early:
        reads = ("first",)

        def __call__(self, connection: duckdb.DuckDBPyConnection) -> pa.Table:
            made_early.set()
            return connection.execute("SELECT n FROM first").to_arrow_table()

    _, found = made({"first": "SELECT 7 AS n", "slow": Slow(), "early": Early()}, tmp_path, few=True)
    assert found == {"first": [(7,)], "slow": [(True,)], "early": [(7,)]}


def test_a_name_is_found_however_it_is_written(tmp_path: Path) -> None:
    slow = "SELECT count(*) AS n FROM range(3_000_000) a WHERE sin(a.range) > 2"
    assert made({"slow": slow, "after": "SELECT n FROM Slow"}, tmp_path, few=True)[0] == {}
