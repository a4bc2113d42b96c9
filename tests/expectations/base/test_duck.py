"""Connections: each has its own place to spill to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from expectations.base.duck import FEW, DuckSettings, plan_for, session

SORTED = """
SELECT sum(hash(text) * place) FROM (
  SELECT text, row_number() OVER (ORDER BY text) AS place FROM (SELECT md5(CAST(i AS VARCHAR)) || md5(CAST(-i AS
    VARCHAR)) AS text FROM range(500000) t(i)))"""


def test_connections_that_spill_at_once_do_not_write_over_each_other(tmp_path: Path) -> None:
    """In one folder they would: DuckDB names spilled blocks by number. The process then dies, or a result is wrong."""

    def ask(memory: str) -> tuple[object, bool]:
        with session(DuckSettings(threads=1, memory=memory, temp=str(tmp_path / "spill"))) as connection:
            found = connection.execute(SORTED).fetchall()
            return found, any(path.is_file() for path in (tmp_path / "spill").rglob("*"))

    (whole, spilled), *_ = [ask("2GB")]
    assert not spilled
    with ThreadPoolExecutor(3) as pool:
        several = list(pool.map(ask, ["60MB"] * 3))
    assert [found for found, _ in several] == [whole] * 3 and any(spilled for _, spilled in several)
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_few_rows_are_read_as_they_are_asked_for_and_many_by_a_better_plan() -> None:
    with session() as connection:
        plans = []
        for rows in (FEW, FEW + 1, FEW):
            plan_for(connection, rows)
            plans.append(str(connection.execute("EXPLAIN SELECT 1 FROM range(5) WHERE 1 = 2").fetchall()))
    assert "FILTER" in plans[0] and "FILTER" not in plans[1] and plans[2] == plans[0]
