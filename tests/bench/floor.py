"""The whole match stage beside its floor: the bare joins of the requests' integer keys with a register's, record ids out."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import duckdb

from expectations import address, duck, standard
from pipelines import lake, register
from pipelines.match import requests
from pipelines.match.steps import execute
from pipelines.register import keys
from tests.bench import made, measured


def compare(data: made.Made) -> None:
    """Prints the seconds of both, and their ratio."""
    with tempfile.TemporaryDirectory() as place:
        whole = measured.run("match_run", data.prepared, data.requests, Path(place) / "out.parquet")
    real = register.open_register(data.prepared)
    with duck.session(duck.default_settings()) as con:
        _keys(con, data, real)
        begun = time.perf_counter()
        con.execute(f"CREATE TEMP TABLE hits AS {_joins(real)}")
        bare = time.perf_counter() - begun
        hits = con.execute("SELECT count(*) FROM hits").fetchall()[0][0]
    print(
        f"match, {data.rows:,} on file, {data.asked:,} requests: {whole.seconds:.1f} s, {whole.peak_mb:,} MB;"
        f" the bare key joins {bare:.1f} s ({hits:,} hits); {whole.seconds / bare:.1f} x the floor"
    )


def _keys(con: duckdb.DuckDBPyConnection, data: made.Made, real: lake.Manifest) -> None:
    """Makes the table `keys`, as the stage makes them."""
    standard.setup(con)
    address.setup(con)
    rows = f"(SELECT *, 'request' AS origin, NULL AS outcome FROM ({made.standardised(data.requests)}))"
    execute(con, requests.steps(rows, duck.parquet(real.paths("names")), real.rows("persons")))


def _joins(real: lake.Manifest) -> str:
    """SQL: the ids of the records that meet a key of the table `keys`, once for each key that they meet."""
    return " UNION ALL ".join(
        f"SELECT record_id, key FROM {duck.parquet(real.paths(dataset))}"
        f" JOIN (SELECT DISTINCT key FROM keys WHERE kind = {keys.NUMBERS[kind]}) ON {column} = key"
        for kind, columns in keys.KINDS.items()
        for dataset, column in columns
    )
