"""The whole match stage beside its floor: the bare joins of the requests' integer keys with a register's, record ids out."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import duckdb

from expectations import address, duck, standard
from pipelines import lake, register
from pipelines.match import requests, score
from pipelines.match.steps import execute
from tests.bench import made, measured


def compare(data: made.Made) -> None:
    """Prints the seconds of both, and their ratio."""
    with tempfile.TemporaryDirectory() as place:
        whole = measured.run("match_run", data.prepared, data.requests, Path(place) / "out.parquet")
    real = register.open_register(data.prepared)
    with duck.session(duck.default_settings()) as con:
        _keys(con, data, real)
        begun = time.perf_counter()
        hits = sum(_hits(con, *part) for part in zip(real.paths("persons"), real.paths("addresses"), strict=True))
        bare = time.perf_counter() - begun
    print(
        f"match, {data.rows:,} on file, {data.asked:,} requests: {whole.seconds:.1f} s, {whole.peak_mb:,} MB;"
        f" the bare key joins {bare:.1f} s ({hits:,} hits); {whole.seconds / bare:.1f} x the floor"
    )


def _keys(con: duckdb.DuckDBPyConnection, data: made.Made, real: lake.Manifest) -> None:
    """Makes request_keys, as the stage makes them."""
    standard.setup(con)
    address.setup(con)
    raw = f"(FROM read_parquet({duck.quote(str(data.requests))}, file_row_number = true))"
    derived = address.derive(f"({standard.derive(raw, full_name=False)})", one_line=False)
    con.execute(f"""
        CREATE TEMP TABLE rows AS SELECT *, file_row_number AS ordinal, 'request' AS origin, NULL AS outcome FROM ({derived})""")
    execute(con, requests.steps("rows", duck.parquet(real.paths("names")), real.rows("persons")))
    con.execute("CREATE TEMP TABLE request_keys AS FROM keys")


def _hits(con: duckdb.DuckDBPyConnection, persons: str, addresses: str) -> int:
    part = {"persons": duck.parquet([persons]), "addresses": duck.parquet([addresses])}
    con.execute(f"CREATE OR REPLACE TEMP TABLE hits AS {score.hits_sql(part)}")
    return int(con.execute("SELECT count(*) FROM hits").fetchall()[0][0])
