"""The whole match stage beside its floor, the bare key joins: seconds, memory, and their ratio, in one run."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from pipelines import lake, register
from tests.bench import measured


def compare(prepared: Path, requests: Path) -> None:
    """Prints a line. Each part runs twice, the second is told: the first finds the register on the disk."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        measured.run("stage_run", "rows", prepared, requests, folder)
        joins = [measured.run("stage_run", "joins", prepared, requests, folder) for _ in range(2)][-1]
        stages = []
        for n in range(2):
            (folder / f"{n}").mkdir()
            (folder / "ingest.rows").rename(folder / f"{n}" / "ingest.rows")
            stages.append(measured.run("stage_run", "stage", prepared, requests, folder / f"{n}"))
            (folder / f"{n}" / "ingest.rows").rename(folder / "ingest.rows")
    stage = stages[-1]
    print(
        f"match, {register.persons(lake.stated(prepared)):,} on file, {pq.read_metadata(requests).num_rows:,}"
        f" requests: {stage.seconds:.1f} s, {stage.peak_mb:,} MB; the bare key joins {joins.seconds:.1f} s,"
        f" {joins.peak_mb:,} MB; {stage.seconds / joins.seconds:.1f} x the floor (first runs:"
        f" {stages[0].seconds:.1f} s)",
        flush=True,
    )
