"""The second opinion on many rows: in several processes what it is in one, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from expectations.base.duck import DuckSettings, session
from expectations.suites import twin

ROWS = """
  SELECT i AS ordinal, 'request' AS origin, i AS record_id, NULL::VARCHAR AS address,
    CASE WHEN i % 7 = 0 THEN 'Elm' ELSE i || ' Elm St' END AS street, NULL::VARCHAR AS unit, 'Austin' AS city,
    'TX' AS state, CASE WHEN i % 5 = 0 THEN '7870' ELSE '78701' END AS zip FROM range({rows}) t(i)"""
KNOWN = """
  SELECT origin, record_id, [{'street': record_id || ' ELM ST', 'unit': NULL, 'urbanization': NULL, 'city': 'AUSTIN',
    'state': 'TX', 'zip': '78701'}] AS addresses_on_file FROM passed"""
# Read by each process anew: all of them hang.
HANGS = """
from tests.expectations.suites import test_twin
test_twin.twin.Opinions._opinions = test_twin._opinions
if __name__ == "__main__":
    test_twin.twin._FEW = test_twin.twin._AT_A_TIME = 5
    with test_twin.session() as connection:
        test_twin.tables(connection, 40)
        test_twin.twin.Opinions((), "seed")(connection)
"""


def tables(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    connection.execute(f"CREATE TABLE passed AS {ROWS.format(rows=rows)}")
    connection.execute(f"CREATE TABLE known AS {KNOWN}")


def _opinions(self: twin.Opinions, rows: object) -> list[dict[str, int | None]]:
    print(os.getpid(), flush=True)
    time.sleep(600)
    return []


def test_many_rows_are_judged_in_several_processes_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def opinions() -> list[dict[str, object]]:
        with session(DuckSettings(threads=2)) as connection:
            tables(connection, 40)
            found = twin.Opinions((), "seed")(connection)
        return sorted(found.to_pylist(), key=lambda one: one["ordinal"])

    alone = opinions()
    monkeypatch.setattr(twin, "_FEW", 9)
    monkeypatch.setattr(twin, "_AT_A_TIME", 9)
    assert opinions() == alone
    assert {(one["blocking"] > 0, one["same"]) for one in alone} == {(True, 0), (False, 1)}


def test_a_process_that_is_killed_leaves_nobody_behind_who_holds_rows(tmp_path: Path) -> None:
    program = tmp_path / "hangs.py"
    program.write_text(HANGS)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    end = time.monotonic() + 30
    while _lives(child) and time.monotonic() < end:
        time.sleep(0.1)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
