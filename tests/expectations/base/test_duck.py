"""Sessions: each has its own place to spill to, and finds nothing of the one before."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from expectations.base.duck import FEW, DuckSettings, make_ready, once, session

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


def test_a_few_rows_are_read_in_one_thread_and_each_cte_by_itself() -> None:
    """In the same database as what is planned for many, one after the other."""
    cte = "EXPLAIN WITH one AS (SELECT range AS n FROM range(5)) SELECT n + 1 FROM one"
    seen = []
    for rows, register in ((FEW, False), (FEW + 1, False), (FEW, True), (FEW, False)):
        with session(DuckSettings(threads=2).for_rows(rows, register=register)) as connection:
            ((threads,),) = connection.execute("SELECT current_setting('threads')").fetchall()
            seen.append((threads, "CTE" in str(connection.execute(cte).fetchall())))
    assert seen == [(1, True), (2, False), (2, True), (1, True)]


def test_a_session_finds_nothing_of_the_one_before() -> None:
    """They may share a database; what one has made, set or counted, the next one does not see."""
    settings = DuckSettings(threads=1)
    seen = "SELECT current_setting('threads'), getvariable('key'), current_setting('TimeZone')"
    with session(settings) as connection:
        before = connection.execute(seen).fetchall()
        connection.execute("SET VARIABLE key = 'secret'; SET TimeZone = 'Asia/Tokyo'")
        for made in ("TABLE kept", "TEMP TABLE passing", "VIEW viewed", "TEMP VIEW looked"):
            connection.execute(f"CREATE {made} AS SELECT 1 AS one")
        connection.execute("CREATE MACRO named(x) AS x; CREATE TEMP MACRO called(x) AS x; CREATE SEQUENCE counted")
        connection.register("given", connection.execute("SELECT 1 AS one").to_arrow_table())
        connection.execute("PRAGMA disable_optimizer; SET disabled_optimizers = 'cte_inlining'; SET threads = 3")
    with session(settings) as connection:
        assert connection.execute(seen).fetchall() == before == [(1, None, "UTC")]
        for name in ("kept", "passing", "viewed", "looked", "given"):
            with pytest.raises(duckdb.CatalogException):
                connection.execute(f"FROM {name}")
        for name in ("named(1)", "called(1)", "nextval('counted')"):
            with pytest.raises(duckdb.CatalogException):
                connection.execute(f"SELECT {name}")
        assert "FILTER" not in str(connection.execute("EXPLAIN SELECT 1 FROM range(5) WHERE 1 = 2").fetchall())


def test_a_database_is_handed_on_to_the_next_session_only() -> None:
    settings = DuckSettings(threads=1, memory="123MB")
    with session(settings) as first:
        once(first, "number", "1", lambda: _number(first, 1))
        with session(settings) as beside, pytest.raises(duckdb.CatalogException):  # at the same time: another one
            beside.execute("FROM main.number")
    with session(DuckSettings(threads=1, memory="124MB")) as other, pytest.raises(duckdb.CatalogException):
        other.execute("FROM main.number")
    with session(settings) as next_one:  # the newest that waits is the outer one
        assert next_one.execute("FROM number").fetchall() == [(1,)]
        once(next_one, "number", "1", lambda: _number(next_one, 2))
        assert next_one.execute("FROM number").fetchall() == [(1,)]
        once(next_one, "number", "2", lambda: _number(next_one, 2))
        assert next_one.execute("FROM number").fetchall() == [(2,)]


def test_as_many_sessions_at_the_same_time_as_were_made_ready_find_it_done() -> None:
    settings, made = DuckSettings(threads=1, memory="125MB"), []

    def define(connection: duckdb.DuckDBPyConnection) -> None:
        once(connection, "number", "1", lambda: (made.append(1), _number(connection, 1)))

    make_ready(2, settings, [define])
    assert len(made) == 2
    with session(settings) as first, session(settings) as second:
        define(first)
        define(second)
        assert len(made) == 2
        with session(settings) as third:
            define(third)
    assert len(made) == 3


def test_each_session_spills_into_its_own_folder_or_not_at_all(tmp_path: Path) -> None:
    """In one database, one after the other; what has spilled is handed on to nobody."""
    one, other, nowhere = (
        DuckSettings(memory="77MB", temp=t) for t in (str(tmp_path / "a"), str(tmp_path / "b"), None)
    )
    with session(one) as connection:
        once(connection, "number", "1", lambda: _number(connection, 1))
    with session(nowhere) as connection:
        assert connection.execute("FROM number").fetchall() == [(1,)]
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.execute(SORTED)
    with session(other) as connection:
        assert connection.execute("FROM number").fetchall() == [(1,)]
        connection.execute(SORTED)
        assert list((tmp_path / "b").iterdir()) and not list((tmp_path / "a").iterdir())
    with session(one) as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("FROM main.number")


def test_what_broke_off_or_holds_much_is_handed_on_to_nobody() -> None:
    settings = DuckSettings(threads=1, memory="321MB")

    def has_number() -> bool:
        with session(settings) as connection:
            return ("number",) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()

    with session(settings) as connection:
        _number(connection, 1)
    assert has_number()
    with pytest.raises(ValueError), session(settings):
        raise ValueError
    assert not has_number()
    with session(settings) as connection:
        _number(connection, 1)
        connection.execute("CREATE TABLE main.much AS SELECT md5(CAST(i AS VARCHAR)) AS text FROM range(3000000) t(i)")
    assert not has_number()


def _number(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE main.number AS SELECT {number} AS number")


def test_a_forked_process_uses_none_of_its_parents() -> None:
    """And ends as every process does: nothing waits for a thread that was not forked with it."""
    program = """
import os, sys
from expectations.base.duck import DuckSettings, session
def asked():
    with session(DuckSettings(threads=4)) as connection:
        return connection.execute("SELECT sum(range) FROM range(1000000)").fetchone()
asked()
child = os.fork()
if child == 0:
    sys.exit(7 if asked() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 7
