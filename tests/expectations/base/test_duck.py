"""Connections: each has its own place to spill to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from expectations.base.duck import DuckSettings, session

SORTED = """
SELECT sum(hash(text) * place) FROM (
  SELECT text, row_number() OVER (ORDER BY text) AS place FROM (SELECT md5(CAST(i AS VARCHAR)) || md5(CAST(-i AS VARCHAR)) AS text FROM range(500000) t(i)))"""


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
