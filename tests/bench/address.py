"""What the address parser costs, as a ratio to a bare scan of the same Parquet in the same run, and how well it judges
the labelled sets where they are at hand."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from expectations import address
from expectations.base import duck
from pipelines import simulate
from tests.bench.sets import DATA

ONE = duck.DuckSettings(threads=1)


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of the second of two runs: the first one warms caches."""
    work()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def speed(folder: Path, rows: int) -> None:
    """Rows a second and core on parts and on single lines."""
    simulate.register(rows, 1, folder / "register", duck=ONE)
    source = f"read_parquet('{folder}/register/addresses/*.parquet')"
    line = "concat_ws(', ', street, unit, city, state || ' ' || zip)"
    with duck.session(ONE) as connection:
        address.setup(connection)
        connection.execute(f"COPY (SELECT street, unit, city, state, zip FROM {source}) TO '{folder}/parts.parquet'")
        nothing = ", ".join(f"NULL::VARCHAR AS {c}" for c in ("street", "unit", "city", "state", "zip"))
        connection.execute(f"COPY (SELECT {line} AS address, {nothing} FROM {source}) TO '{folder}/lines.parquet'")
        for name, one_line in (("parts", False), ("lines", True)):
            found = f"read_parquet('{folder}/{name}.parquet')"
            floor = seconds(lambda found=found: _all(connection, f"SELECT * FROM {found}"))
            took = seconds(lambda f=found, o=one_line: _all(connection, address.derive(f, one_line=o)))
            count = connection.execute(f"SELECT count(*) FROM {found}").fetchall()[0][0]
            print(
                f"address, {name:5}: {count:>9,} rows, {count / took:>9,.0f} rows/s a core, {took / floor:>6,.0f} x the"
                " bare scan"
            )


def memory(folder: Path) -> None:
    """Peak memory at one row count and at eight times as many: rows wait until their addresses have been read, so that
    whoever has many reads them in parts."""
    peaks = []
    for times in (1, 8):
        source = folder / f"parts-{times}.parquet"
        with duck.session(ONE) as connection:
            each = " UNION ALL ".join([f"FROM '{folder}/parts.parquet'"] * times)
            connection.execute(f"COPY ({each}) TO '{source}'")
            count = connection.execute(f"SELECT count(*) FROM '{source}'").fetchall()[0][0]
        command = [sys.executable, "-m", "tests.bench.memory", str(source), str(folder / "derived.parquet")]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peaks.append(f"{int(found):,} MB at {count:,} rows")
    print(f"address, peak memory: {', '.join(peaks)}")


def _all(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    # every column is used, so that nothing is left out
    connection.execute(f"SELECT count(*), bit_xor(hash(x)) FROM ({query}) x").fetchall()


def accuracy() -> None:
    """False-complete and recall on the labelled sets."""
    if not DATA.exists():
        print("accuracy: skipped, the labelled sets are not here")
        return
    nothing = ", ".join(f"NULL::VARCHAR AS {c}" for c in ("street", "unit", "city", "state", "zip"))
    gold = f"(SELECT text AS address, {nothing}, gold_complete FROM '{DATA}/address_gold.parquet')"
    real = f"(SELECT addr AS street, unit, city, state, zip FROM '{DATA}/real_addresses.parquet')"
    ok = address.complete("a_codes")
    with duck.session(ONE) as connection:
        address.setup(connection)
        one = connection.execute(
            f"SELECT avg(({ok})::INT) FILTER (NOT gold_complete), avg(({ok})::INT) FILTER (gold_complete) FROM"
            f" ({address.derive(gold, one_line=True)})"
        ).fetchall()[0]
        two = connection.execute(f"SELECT avg(({ok})::INT) FROM ({address.derive(real, one_line=False)})").fetchall()[
            0
        ][0]
    print(
        f"accuracy: false-complete {one[0]:.3%}, recall {one[1]:.2%} (gold, single lines); complete {two:.2%} (real,"
        " parts)"
    )


def main(rows: int) -> None:
    """Speed and memory on `rows` made addresses, and accuracy on the labelled ones."""
    with tempfile.TemporaryDirectory() as place:
        speed(Path(place), rows)
        memory(Path(place))
    accuracy()
