"""Keyed hashes over generations of their key: in Python, in SQL, and carried over without the texts."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.base.algorithms import HASHES, Scheme
from expectations.base.duck import session
from expectations.base.errors import Usage
from expectations.base.hash_key import HashKey, fingerprints, parsed, written
from expectations.base.keyed import Generation, keyed_hash
from expectations.base.places import Place

TEXT = "request|agency|mou|R-1"
KEYS = [bytes([n]) * 32 for n in (1, 2, 3)]
FIRST, SECOND, THIRD = (
    Generation(scheme, key) for scheme, key in zip((Scheme.SHA256, Scheme.SHA3_256, Scheme.SHA256), KEYS, strict=True)
)
ALL = (FIRST, SECOND, THIRD)


def kept(folder: Path, *generations: Generation) -> HashKey:
    path = folder / "hash"
    path.write_bytes(written(generations))
    path.chmod(0o600)
    return HashKey.at(Place.file(path))


def asked(key: HashKey, *expressions: str, rows: str = "(SELECT 'x' AS t)") -> list[tuple[object, ...]]:
    with session() as connection:
        key.install(connection)
        return connection.execute(f"SELECT {', '.join(expressions)} FROM {rows}").fetchall()


def test_a_key_that_was_never_renewed_gives_what_it_always_gave(tmp_path: Path) -> None:
    plain = HashKey.made(tmp_path / "plain")
    key = (tmp_path / "plain").read_bytes()
    expected = hmac.new(key, TEXT.encode(), hashlib.sha256).hexdigest()
    ((found, number),) = asked(plain, plain.sql("t"), plain.sql_number("t"), rows=f"(SELECT '{TEXT}' AS t)")
    assert len(key) == 32 and plain.keyed_hash(TEXT) == found == expected and number == int(expected[:16], 16)
    said = "fingerprint of the key of the keyed hashes"
    assert plain.fingerprint == hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
    inner, outer = (f"coalesce(getvariable('hash_key_{p}')::BLOB, error('no key'))" for p in ("inner", "outer"))
    assert plain.sql("t") == f"sha256({outer} || unhex(sha256({inner} || encode(t))))"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_generation_is_taken_over_the_hash_of_the_one_before(tmp_path: Path, count: int) -> None:
    key = kept(tmp_path, *ALL[:count])
    expected, number = TEXT, 0
    for one in ALL[:count]:
        over = expected if one is FIRST else str(number)
        number = int(hmac.new(one.key, over.encode(), HASHES[one.scheme]).hexdigest()[:16], 16)
        expected = hmac.new(one.key, expected.encode(), HASHES[one.scheme]).hexdigest()
    assert key.keyed_hash(TEXT) == expected == keyed_hash(ALL[:count], TEXT)
    assert asked(key, key.sql("t"), key.sql_number("t"), rows=f"(SELECT '{TEXT}' AS t)") == [(expected, number)]


@pytest.mark.parametrize("then", [1, 2, 3])
def test_what_is_stored_is_carried_over_without_the_text(tmp_path: Path, then: int) -> None:
    key = kept(tmp_path, *ALL)
    before = key.known_as(fingerprints(ALL)[then - 1])
    assert before.schemes == key.schemes[:then] and before.generations() == ALL[:then]
    texts = [None, "", "ü", TEXT]
    rows = f"(SELECT unnest({texts!r}::VARCHAR[]) AS t)".replace("None", "NULL")
    stored = f"(SELECT t, {before.sql('t')} AS h, {before.sql_number('t')} AS n FROM {rows})"
    carried = asked(key, key.sql_carried("h", before), key.sql_number_carried("n", before), rows=stored)
    assert sorted(carried, key=str) == sorted(asked(key, key.sql("t"), key.sql_number("t"), rows=rows), key=str)
    for text in filter(None, texts):
        found = before.keyed_hash(text)
        for one in ALL[then:]:
            found = one.keyed_hash(found)
        assert found == key.keyed_hash(text)


def test_hashes_of_several_batches_are_carried_over_by_batch(tmp_path: Path) -> None:
    key = kept(tmp_path, *ALL)
    then = {f"b{n}": key.known_as(fingerprints(ALL)[n - 1]) for n in (1, 2, 3)}
    each = " UNION ALL ".join(
        f"SELECT '{name}' AS batch, {one.sql('t')} AS h FROM (SELECT 'x' AS t)" for name, one in then.items()
    )
    found = asked(key, key.sql_carried_each("h", "batch", then), rows=f"({each})")
    assert found == [(key.keyed_hash("x"),)] * 3
    assert key.sql_carried_each("h", "batch", {"b3": key}) == "h"


@given(
    st.lists(st.tuples(st.sampled_from(Scheme), st.binary(min_size=32, max_size=32)), min_size=1, max_size=4),
    st.sets(st.text(max_size=8), max_size=6),
    st.sets(st.text(max_size=8), max_size=6),
    st.data(),
)
def test_sets_meet_as_the_texts_do(
    keys: list[tuple[Scheme, bytes]], before: set[str], later: set[str], data: st.DataObject
) -> None:
    """The naive twin keeps the texts: which of the later ones were there before."""
    ring = [Generation(*one) for one in keys]
    then = data.draw(st.integers(1, len(ring)))
    stored = {keyed_hash(ring[:then], text) for text in before}
    carried = {keyed_hash(ring[then:], one) for one in stored}
    assert {text for text in later if keyed_hash(ring, text) in carried} == before & later
    assert len(carried) == len(before)


def test_the_key_of_before_says_nothing_of_what_is_stored_now(tmp_path: Path) -> None:
    stolen, key = kept(tmp_path, FIRST), None
    guesses = {stolen.keyed_hash(text) for text in (TEXT, "person|1")}
    key = kept(tmp_path, FIRST, SECOND)
    assert guesses.isdisjoint({key.keyed_hash(text) for text in (TEXT, "person|1")})
    assert stolen.fingerprint != key.fingerprint and key.known_as(stolen.fingerprint).generations() == (FIRST,)


@pytest.mark.parametrize(
    "other",
    [(FIRST, THIRD), (SECOND, FIRST), (Generation(Scheme.SHA3_256, FIRST.key), SECOND), (THIRD,)],
    ids=["another second", "another order", "another algorithm", "another"],
)
def test_no_other_key_takes_its_place(tmp_path: Path, other: tuple[Generation, ...]) -> None:
    key = kept(tmp_path, FIRST, SECOND)
    kept(tmp_path, *other)
    with pytest.raises(Usage, match="KEY_OTHER"):
        key.generations()
    with session() as connection, pytest.raises(Usage, match="KEY_OTHER"):
        key.install(connection)


def test_a_key_that_has_one_generation_more_is_still_the_one_of_before(tmp_path: Path) -> None:
    before = kept(tmp_path, FIRST)
    now = kept(tmp_path, FIRST, SECOND)
    assert before.generations() == (FIRST,) and before.keyed_hash("x") == FIRST.keyed_hash("x")
    with pytest.raises(Usage, match="KEY_OTHER"):
        before.known_as(now.fingerprint[::-1])


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (KEYS[0], 1),
        (KEYS[0].hex().encode(), 1),
        (f"{KEYS[0].hex()}\n".encode(), 1),
        (written(ALL), 3),
        (written(ALL).strip(), 3),
        (written([SECOND]), 1),
    ],
)
def test_forms_of_a_key(data: bytes, count: int, tmp_path: Path) -> None:
    found = parsed(data, Place.file(tmp_path))
    assert len(found) == count and found[0].key == (KEYS[0] if found[0].scheme is Scheme.SHA256 else KEYS[1])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        KEYS[0][:16],
        b"md5 " + KEYS[0].hex().encode(),
        b"sha256 00",
        b"sha256\n" + KEYS[0].hex().encode(),
        f"{KEYS[0].hex()}\n{KEYS[1].hex()}".encode(),
        written(ALL) + b"\nsha256",
        "sha256 é".encode(),
    ],
)
def test_what_is_no_key(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(Usage, match="KEY_UNREADABLE") as error:
        parsed(data, Place.file(tmp_path))
    assert KEYS[0].hex() not in str(error.value)


def test_a_database_that_is_used_again_has_the_other_algorithm_once(tmp_path: Path) -> None:
    key = kept(tmp_path, SECOND)
    for _ in range(3):
        assert asked(key, key.sql("t")) == [(key.keyed_hash("x"),)]
    assert repr(key.generations()[0]).count("key") == 0
