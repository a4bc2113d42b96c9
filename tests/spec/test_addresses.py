"""The address spec: each edge case of addresses.yaml, and the labelled sets where they are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from expectations import address
from expectations.base import duck

CASES = yaml.safe_load((Path(__file__).parent / "addresses.yaml").read_text(encoding="utf-8"))
PARTS = ("street", "unit", "city", "state", "zip")


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        address.setup(connection)
        yield connection


def fields(case: dict[str, Any]) -> list[str | None]:
    """The fields of a case: one line, or parts in their order."""
    return [case.get("line"), *(case.get("parts") or [None] * len(PARTS))]


@pytest.fixture(scope="module")
def parsed(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = ("address", *PARTS)
    columns = {n: pa.array([fields(c)[i] for c in CASES], pa.string()) for i, n in enumerate(names)}
    con.register("given_cases", pa.table({"i": range(len(CASES)), **columns}))
    return (
        con.execute(f"SELECT * FROM ({address.derive('given_cases', one_line=True)}) ORDER BY i")
        .to_arrow_table()
        .to_pylist()
    )


@pytest.mark.parametrize("at", range(len(CASES)), ids=lambda at: str(CASES[at].get("line") or CASES[at]["parts"]))
def test_case(at: int, parsed: list[dict[str, Any]]) -> None:
    row, case = parsed[at], CASES[at]
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
    file = duck.parquet([shared("real_addresses.parquet")])
    real = f"(SELECT addr AS street, unit, city, state, zip FROM {file} WHERE NOT contains(upper(addr), 'UNKNOWN'))"
    row = con.execute(f"SELECT avg({address.complete()}::INT) FROM ({address.derive(real, one_line=False)})").fetchone()
    assert row is not None and row[0] >= 0.995
