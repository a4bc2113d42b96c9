from typing import Any

import pytest

from expectations.base import algorithms, merkle
from expectations.base.duck import session


def made(data: bytes) -> Any:
    return algorithms.HASHES[algorithms.in_force()](data)


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written: split at the largest power of two below n."""
    if not leaves:
        return made(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return made(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


def root(leaves: list[bytes]) -> str:
    tree = merkle.Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 100])
def test_root_is_that_of_the_standard(count: int) -> None:
    leaves = [merkle.leaf(str(n)) for n in range(count)]
    assert root(leaves) == naive(leaves).hex()


@pytest.mark.parametrize("count", [*range(1, 36), 64, 77, 100])
def test_blocks_change_nothing(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merkle, "_BLOCK", 4)
    leaves = [merkle.leaf(str(n)) for n in range(count)]
    tree = merkle.Tree()
    for n in range(0, count, 7):
        tree.add(b"".join(leaves[n : n + 7]))
        assert tree.root() == naive(leaves[: n + 7]).hex()  # a root on the way, and the tree goes on growing


def test_order_place_and_content_count() -> None:
    leaves = [merkle.leaf(t) for t in "abcde"]
    others = [leaves[::-1], leaves[:-1], [*leaves, leaves[-1]], [merkle.leaf("x"), *leaves[1:]]]
    assert len({root(x) for x in [leaves, *others]}) == 5


def test_a_node_is_never_taken_for_a_leaf() -> None:
    a, b = merkle.leaf("a"), merkle.leaf("b")
    assert root([made(b"\x00" + a + b).digest()]) != root([a, b])


def test_leaves_of_rows_come_in_order_and_in_their_canonical_spelling() -> None:
    with session() as connection:
        rows = "(SELECT unnest([2, 1]) AS n, unnest(['y', NULL]) AS t)"
        found = b"".join(merkle.leaves(connection, rows, ["n", "t"], "n"))
    assert found == merkle.leaf('{"n":1,"t":null}') + merkle.leaf('{"n":2,"t":"y"}')
