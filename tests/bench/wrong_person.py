"""Releases for the wrong person on a stress register (`kin`), by kind of relative; and the groups of people beside each
other, on the clean and the incident profile of the simulator.

With `--before FOLDER`, another checkout of the project, each is measured by its match stage as well, on the same files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base.duck import quote, session
from pipelines import simulate
from tests.bench import groups, kin, measured

REQUESTS, PERSONS = 200_000, 400_000
ASKED = 100_000  # of each profile
SEED = 71


def main(requests: int, persons: int, before: Path | None) -> None:
    """Prints a line a kind and a checkout, then a line a group."""
    codes = ([("before", before)] if before else []) + [("now", None)]
    for mixed in (False, True):
        with tempfile.TemporaryDirectory() as place:
            made = kin.make(Path(place), requests, SEED, mixed=mixed)
            names = "one of the two names on the list" if mixed else "neither name on the list"
            print(f"wrong person, {requests:,} requests, similar names: {names}")
            for label, code in codes:
                out = Path(place) / f"{label}.parquet"
                _run(code, made.raw, made.requests, out, *([] if code else [made.seen]))
                _stress(label, made, out)
    for profile in ("clean", "incident"):
        with tempfile.TemporaryDirectory() as place:
            _groups(Path(place), profile, persons, min(ASKED, persons // 2), codes)


def _run(code: Path | None, *arguments: Path) -> None:
    """The match stage of this checkout, or of another one."""
    if code is None:
        measured.run("match_run", *arguments)
        return
    command = [sys.executable, "-m", "tests.bench.match_run", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(code)}
    subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=code, env=env)


def _stress(label: str, made: kin.Stress, out: Path) -> None:
    with session() as con:
        con.execute(f"""
            CREATE TEMP TABLE ends AS
            SELECT CASE WHEN beyond THEN 'beyond: the row fits both' ELSE kind END AS kind, beyond,
              t.record_id AS person, o.record_id AS released
            FROM read_parquet({quote(str(made.truth))}) t JOIN read_parquet({quote(str(out))}) o USING (request_id)""")
        counted = """count(*), count(person), count(released), count(*) FILTER (released IS DISTINCT FROM person
            AND released IS NOT NULL), count(*) FILTER (released = person)"""
        rows = con.execute(f"SELECT kind, {counted} FROM ends GROUP BY ALL ORDER BY any_value(beyond), kind").fetchall()
        [total] = con.execute(f"SELECT 'all but beyond', {counted} FROM ends WHERE NOT beyond").fetchall()
    for kind, asked, on_file, released, wrong, right in [*rows, total]:
        print(
            f"  {label:6} {kind:36} {asked:>8,} asked  released {released:>8,}  wrong {wrong:>6,}"
            f" (1 in {f'{released / wrong:,.0f}' if wrong else '–'})  recall {right / max(on_file, 1):.4f}"
        )


def _groups(folder: Path, profile: str, persons: int, asked: int, codes: list[tuple[str, Path | None]]) -> None:
    """Shares of the rows that are truly releasable, and of each group of people, that are matched to the right one."""
    simulate.register(persons, SEED, folder / "raw")
    key = Ed25519PrivateKey.generate()
    parties = {"requester_id": "bench", "agreement_id": "bench", "letter_date": date(2026, 1, 5)}
    submission = simulate.batch(
        folder / "raw", asked, SEED, profile, folder / "batch", sign_key=key, file_format="parquet", **parties
    )
    requests, truth = submission / "requests-1.parquet", folder / "batch" / "truth.parquet"
    for label, code in codes:
        out = folder / f"{label}.parquet"
        _run(code, folder / "raw", requests, out)
        with session() as con:
            [(rows, right, wrong)] = con.execute(f"""
                SELECT count(*), count(*) FILTER (o.record_id = t.record_id AND corroboration = 'same'),
                  count(*) FILTER (o.record_id <> t.record_id)
                FROM (FROM read_parquet({quote(str(truth))}, file_row_number = true) WHERE releasable) t
                JOIN read_parquet({quote(str(out))}, file_row_number = true) o USING (file_row_number)""").fetchall()
        print(
            f"{profile}, {label}: {rows:,} rows truly releasable, {right / rows:.4f} matched, {wrong} to somebody else"
        )
        for group in groups.found(requests, folder / "raw", truth, out):
            print(f"    {group}")
