"""Digests by more than one algorithm: what proves follows the one in force, what names never does."""

import hashlib
import json
import threading
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.base import algorithms, digests, merkle
from expectations.base.algorithms import HASHES, Scheme
from expectations.base.duck import DuckSettings, beside, session

ROWS = "(SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE '\\x41 é ' || i END AS t FROM range(300_000) r(i))"


def naive(scheme: Scheme) -> str:
    """The content digest of `ROWS`, in Python alone."""
    total = HASHES[scheme]()
    for i in range(300_000):
        row = {"i": i, "t": None if i % 3 == 0 else f"\\x41 é {i}"}
        total.update(HASHES[scheme](json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()).digest())
    return str(total.hexdigest())


@pytest.mark.parametrize("scheme", Scheme)
def test_content_is_digested_by_what_is_in_force(scheme: Scheme) -> None:
    with session(DuckSettings(threads=2)) as connection, algorithms.using(scheme):
        assert digests.content_digest(connection, ROWS, ["i", "t"], "i") == naive(scheme)


@pytest.mark.parametrize("scheme", Scheme)
def test_a_tree_over_rows_is_that_of_its_algorithm(scheme: Scheme) -> None:
    tree, same = merkle.Tree(scheme), merkle.Tree(scheme)
    with session() as connection, algorithms.using(scheme):
        for leaves in merkle.leaves(connection, "(SELECT i FROM range(5) r(i))", ["i"], "i"):
            tree.add(leaves)
    for i in range(5):
        same.add(merkle.leaf(f'{{"i":{i}}}', scheme))
    assert tree.root() == same.root() and len(tree.root()) == 64
    assert merkle.Tree(scheme).root() == HASHES[scheme](b"").hexdigest()


def test_a_function_of_sql_is_there_for_the_next_session_and_beside() -> None:
    wanted = hashlib.sha3_256(b"a").hexdigest()
    asked = f"SELECT {algorithms.sql_digest('x', Scheme.SHA3_256)} FROM (VALUES ('a'::BLOB), (NULL)) v(x)"
    for _ in range(2):  # the second has the database of the first
        with session() as connection:
            algorithms.install(connection, Scheme.SHA3_256)
            algorithms.install(connection, Scheme.SHA3_256)
            assert connection.execute(asked).fetchall() == [(wanted,), (None,)]
            assert beside(connection).execute(asked).fetchall() == [(wanted,), (None,)]
    with session() as connection:
        algorithms.install(connection, Scheme.SHA256)  # DuckDB has it
        said = algorithms.sql_digest("'a'::BLOB", Scheme.SHA256)
        assert connection.execute(f"SELECT {said}").fetchall() == [(hashlib.sha256(b"a").hexdigest(),)]


def test_names_are_sha256_whatever_is_in_force(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")

    def names() -> list[str]:
        made = [digests.name_of_bytes(b"x"), digests.name_of_file(file), digests.name_of_json({"a": 1})]
        return [*made, digests.name_of_sql(["SELECT\n  1"])]

    before = names()
    assert before[0] == before[1] == hashlib.sha256(b"x").hexdigest()
    algorithms.use(Scheme.SHA3_256)
    assert names() == before
    assert digests.of_bytes(b"x") == digests.of_file(file) == hashlib.sha3_256(b"x").hexdigest()
    assert digests.of_file(file, Scheme.SHA256) == before[0]


def test_what_is_used_for_a_while_is_used_here_alone() -> None:
    seen = []
    with algorithms.using(Scheme.SHA3_256):
        other = threading.Thread(target=lambda: seen.append(algorithms.in_force()))
        other.start()
        other.join()
        assert algorithms.in_force() is Scheme.SHA3_256
        assert algorithms.all_of_them()[0] is Scheme.SHA3_256 and set(algorithms.all_of_them()) == set(Scheme)
    with pytest.raises(ZeroDivisionError), algorithms.using(Scheme.SHA3_256):
        raise ZeroDivisionError
    assert seen == [algorithms.in_force()]


@given(st.binary(max_size=64), st.binary(max_size=64), st.sampled_from(Scheme), st.sampled_from(Scheme))
def test_a_stored_digest_is_that_of_its_bytes_alone(data: bytes, other: bytes, then: Scheme, now: Scheme) -> None:
    stored = digests.of_bytes(data, then)
    with algorithms.using(now):
        assert digests.bytes_match(data, stored)
        assert digests.matching(stored, lambda: digests.of_bytes(data)) == stored
        if other != data:
            assert not digests.bytes_match(other, stored)
            assert digests.matching(stored, lambda: digests.of_bytes(other)) == digests.of_bytes(other, now)
        assert not digests.bytes_match(data, None) and not digests.bytes_match(data, stored[:-1])
        assert digests.matching(None, lambda: digests.of_bytes(data)) == digests.of_bytes(data, now)


@given(st.lists(st.text(max_size=4), max_size=5), st.sampled_from(Scheme), st.sampled_from(Scheme))
def test_a_stored_content_digest_is_that_of_its_rows_alone(texts: list[str], then: Scheme, now: Scheme) -> None:
    def rows(connection: duckdb.DuckDBPyConnection, given: list[str]) -> str:
        query = "CREATE OR REPLACE TABLE t AS SELECT unnest(range(len(x))) AS i, unnest(x) AS t FROM (SELECT ? AS x)"
        connection.execute(query, [given])
        return digests.content_digest(connection, "t", ["i", "t"], "i")

    with session() as connection:
        with algorithms.using(then):
            stored = rows(connection, texts)
        with algorithms.using(now):
            assert digests.matches(stored, lambda: rows(connection, texts))
            assert not digests.matches(stored, lambda: rows(connection, [*texts, "x"]))


def test_a_file_of_two_times(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"as it was")
    stored = digests.of_file(file)
    algorithms.use(Scheme.SHA3_256)
    assert digests.file_matches(file, stored) and digests.file_matches(file, digests.of_file(file))
    file.write_bytes(b"as it is not")
    assert not digests.file_matches(file, stored)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        digests.file_matches(file, stored)
