"""The address spec: each edge case of addresses.yaml, and the labelled sets where they are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from expectations import address, duck

CASES = yaml.safe_load((Path(__file__).parent / "addresses.yaml").read_text(encoding="utf-8"))
PARTS = ("street", "unit", "city", "state", "zip")


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        address.setup(connection)
        yield connection


@pytest.fixture(scope="module")
def parsed(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    con.execute(
        "CREATE OR REPLACE TABLE cases (address VARCHAR, street VARCHAR, unit VARCHAR, city VARCHAR, state VARCHAR, zip VARCHAR)"
    )
    con.executemany("INSERT INTO cases (address) VALUES (?)", [[c["line"]] for c in CASES])
    rows = con.execute(address.derive("cases", one_line=True)).to_arrow_table().to_pylist()
    return {row["address"]: row for row in rows}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["line"])
def test_case(case: dict[str, Any], parsed: dict[str, dict[str, Any]]) -> None:
    row = parsed[case["line"]]
    assert row["a_codes"] == sorted(case["codes"]), case["source"]
    for column in ("kind", "number", "street", "unit", "urb"):
        if column in case:
            assert row[f"a_{column}"] == case[column], case["source"]


def shared(name: str) -> str:
    for parent in Path(__file__).resolve().parents:
        if (found := parent / "shared" / "data" / name).exists():
            return str(found)
    pytest.skip(f"../shared/data/{name} is not here")


@pytest.mark.shared
def test_single_lines_of_the_gold_set(con: duckdb.DuckDBPyConnection) -> None:
    nulls = ", ".join(f"CAST(NULL AS VARCHAR) AS {c}" for c in PARTS)
    gold = f"(SELECT gold_complete, text AS address, {nulls} FROM {duck.parquet([shared('address_gold.parquet')])})"
    row = con.execute(
        f"""SELECT count(*) FILTER (NOT gold_complete AND {address.complete()}) / count(*) FILTER (NOT gold_complete),
          count(*) FILTER (gold_complete AND {address.complete()}) / count(*) FILTER (gold_complete)
        FROM ({address.derive(gold, one_line=True)})"""
    ).fetchone()
    assert row is not None and row[0] <= 0.001 and row[1] >= 0.97


@pytest.mark.shared
def test_parts_of_real_addresses(con: duckdb.DuckDBPyConnection) -> None:
    real = f"(SELECT addr AS street, unit, city, state, zip FROM {duck.parquet([shared('real_addresses.parquet')])} WHERE NOT contains(upper(addr), 'UNKNOWN'))"
    row = con.execute(f"SELECT avg({address.complete()}::INT) FROM ({address.derive(real, one_line=False)})").fetchone()
    assert row is not None and row[0] >= 0.995
