"""The match stage on standardised rows, or its bare key joins, in a process of its own.

`python -m tests.bench.stage_run rows|joins|stage PREPARED REQUESTS FOLDER`: `rows` standardises REQUESTS into FOLDER
once; `joins` is the floor, the bare joins of the requests' integer keys with the register's, record ids out; `stage`
the whole.
"""

from __future__ import annotations

import sys
from pathlib import Path

from expectations.base import duck
from expectations.contracts.lists import Origin
from pipelines import lake, register
from pipelines.match import requests, stage
from pipelines.match.alone import Canonical
from pipelines.match.stage import Alone
from pipelines.match.steps import execute
from pipelines.register import keys
from tests.bench.measured import clock


def main(part: str, prepared: Path, asked: Path, folder: Path) -> None:
    place = Alone(folder, duck.default_settings(str(folder / "spill")), lambda *_: None)
    rows = lake.run_step(place.step("ingest.rows"), str(asked), [asked], Canonical(place.duck))
    real = register.open_register(prepared)
    if part == "joins":
        joins(rows, real, place.duck)
    if part == "stage":
        import apache_beam  # noqa: F401 - a run has it imported by then

        with clock():
            found = stage.find(place, {}, rows, real)
        print(f"matched {found.count('matched'):,}", file=sys.stderr)


def joins(rows: lake.Manifest, real: lake.Manifest, settings: duck.DuckSettings) -> None:
    """Clocks what nothing can go below: each key column of the register scanned once, past the keys of all requests."""
    with duck.session(settings) as con:
        execute(
            con, requests.steps(duck.parquet(rows.paths("rows")), {Origin.REQUEST: duck.parquet(real.paths("names"))})
        )
        for kind in keys.KEYS:
            con.execute(
                f"CREATE TEMP TABLE asked_{kind} AS SELECT DISTINCT key FROM"
                f" ({keys.without_kind(kind, 'blocking_keys')})"
            )
        con.execute("DROP TABLE blocking_keys")
        with clock():
            con.execute(f"CREATE TEMP TABLE blocks AS {_joins(real)}")


def _joins(real: lake.Manifest) -> str:
    return " UNION ALL ".join(
        f"SELECT record_id, key FROM {duck.parquet(real.paths(dataset))} JOIN asked_{kind} ON {column} = key"
        for kind, key in keys.KEYS.items()
        for dataset, column in key.columns
    )


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:5]))
