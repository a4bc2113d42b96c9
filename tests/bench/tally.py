"""What it costs to count a sealed accounting again (`ledger verify --deep`): processor time and peak memory, by rows.

`python -m tests.bench.tally [ROWS]`; the rows are made.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from expectations.base.duck import DuckSettings, quote, session
from pipelines.release.accounting import tally
from tests.bench.measured import peak_mb

TWO = DuckSettings(threads=2)
MADE = """
  SELECT i AS ordinal, 1::INTEGER AS file, i + 1 AS row, 'R-' || i AS request_id, sha256('r' || i) AS request_key,
    CASE WHEN i % 10 = 0 THEN sha256('p' || i) END AS person_key,
    CASE WHEN i % 10 = 0 THEN 'released' WHEN i % 10 < 4 THEN 'unmatched' ELSE 'held' END AS outcome,
    CASE WHEN i % 10 = 0 THEN [] WHEN i % 10 < 4 THEN ['NO_CANDIDATE'] ELSE ['NOT_CORROBORATED', 'NO_NUMBER'] END AS
      codes,
    CASE WHEN i % 10 = 0 THEN [] ELSE ['NOT_CONFIRMED'] END AS told
  FROM range({rows}) t(i) ORDER BY i"""


def make(rows: int, target: str) -> None:
    with session(replace(TWO, temp=f"{target}.spill")) as connection:
        connection.execute(f"COPY ({MADE.format(rows=rows)}) TO {quote(target)} (FORMAT parquet, COMPRESSION zstd)")


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "accounting.parquet"
        child = get_context("spawn").Process(target=make, args=(rows, str(plain)))  # its memory is not ours
        child.start()
        child.join()
        before = time.process_time()
        found = tally(plain, TWO)
        spent = time.process_time() - before
    assert found.rows == rows
    print(f"{rows:,} accounted rows counted again: {spent:.1f} s of processor time, peak {peak_mb()} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
