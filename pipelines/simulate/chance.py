"""Chance that is the same everywhere: numbers drawn from (seed, purpose, key) by integer arithmetic in SQL.

DuckDB's random() depends on threads and its hash() may change between versions. Here each row draws by its own key, so
that any row can be made alone, in any order, on any number of threads. The mixer is the 32-bit `lowbias32` (C. Wellons,
public domain): a bijection whose output bits change with probability close to one half.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

SPAN = 1 << 32  # draws lie in 0 .. SPAN-1

# products of two 32-bit numbers fit a UBIGINT, which never wraps around in DuckDB
_MACROS = """
    CREATE OR REPLACE TEMP MACRO mix_once(x) AS CAST((xor(x, x >> 16) * 2146121005) & 4294967295 AS UBIGINT);
    CREATE OR REPLACE TEMP MACRO mix_twice(x) AS CAST((xor(x, x >> 15) * 2221713035) & 4294967295 AS UBIGINT);
    CREATE OR REPLACE TEMP MACRO mix_last(x) AS xor(x, x >> 16);
    CREATE OR REPLACE TEMP MACRO mix(x) AS mix_last(mix_twice(mix_once(CAST(x AS UBIGINT) & 4294967295)))"""


def setup(connection: duckdb.DuckDBPyConnection) -> None:
    """Defines the macros on a connection."""
    connection.execute(_MACROS)


@dataclass(frozen=True)
class Chance:
    """Draws for one seed. `key`: SQL for a non-negative integer that names the row; `purpose`: what is drawn."""

    seed: str

    def draw(self, key: str, purpose: str) -> str:
        """SQL: a UBIGINT in 0 .. SPAN-1."""
        salt = int.from_bytes(hashlib.sha256(f"{self.seed}|{purpose}".encode()).digest()[:4], "big")
        return f"mix(xor(CAST({key} AS UBIGINT), {salt}::UBIGINT))"

    def below(self, key: str, purpose: str, limit: int | str) -> str:
        """SQL: an integer in 0 .. limit-1; `limit` may be SQL, under SPAN."""
        return f"CAST(({self.draw(key, purpose)} * ({limit})::UBIGINT) >> 32 AS BIGINT)"

    def share(self, key: str, purpose: str) -> str:
        """SQL: a DOUBLE in 0 .. 1 (1 excluded)."""
        return f"({self.draw(key, purpose)} / 4294967296.0)"

    def happens(self, key: str, purpose: str, probability: float) -> str:
        """SQL: true with this probability."""
        return f"({self.draw(key, purpose)} < {round(probability * SPAN)})"

    def one_of(self, key: str, purpose: str, choices: Sequence[str]) -> str:
        """SQL: one of a few strings, evenly; repeat a string to make it likelier."""
        listed = ", ".join("'" + c.replace("'", "''") + "'" for c in choices)
        return f"([{listed}])[1 + {self.below(key, purpose, len(choices))}]"


def alias(weights: Sequence[float]) -> tuple[list[int], list[int]]:
    """Walker's alias table (Vose 1991): a weighted choice among n in constant time, whatever the weights.

    Returns (keep, other): of the draws that fall in slot i, the lower `keep[i]` of SPAN mean i, the rest mean
    `other[i]`.
    """
    n, total = len(weights), float(sum(weights))
    scaled = [w * n / total for w in weights]
    keep, other = [SPAN] * n, list(range(n))
    small = [i for i, w in enumerate(scaled) if w < 1]
    large = [i for i, w in enumerate(scaled) if w >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        keep[low], other[low] = int(scaled[low] * SPAN), high
        scaled[high] -= 1 - scaled[low]
        if scaled[high] < 1:
            small.append(large.pop())
    return keep, other


def slot(draw: str, size: str, start: str = "0") -> str:
    """SQL: the slot of an alias table of `size` rows that begins at row `start`, for a draw."""
    return f"CAST((({draw}) * ({size})::UBIGINT) >> 32 AS INTEGER) + ({start})::INTEGER"


def rest(draw: str, size: str) -> str:
    """SQL: what the slot leaves of the draw, to compare with `keep`: one draw serves both."""
    return f"((({draw}) * ({size})::UBIGINT) & 4294967295)"
