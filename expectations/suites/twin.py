"""A second opinion on addresses: the eligible rows judged by other code (`expectations.address.twin`), row by row.

All of them up to SAMPLE, and a sample of as many beyond: see `sampled` for what a sample bounds. Control rows take no
place of a request's: each origin has a sample of its own.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from expectations.address import twin, twin_place
from expectations.base.duck import quote
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.contracts.lists import Origin
from expectations.suites import derived, sampled

SAMPLE = 100_000
_AT_A_TIME = 10_000
_FEW = 20_000  # three seconds' work: to start processes takes one
_SCHEMA = pa.schema({"ordinal": pa.int64(), "blocking": pa.int32(), "same": pa.int32()})


@dataclass(frozen=True)
class Opinions:
    """A table of a suite: ordinal; blocking, how many blocking codes the twin finds in the request's address; same, how
    many addresses on file it finds to be the same. NULL: the twin raised.

    Reads `passed` (the raw address) and `known` (every address on file of a record). Values stay here: what it gives
    holds ordinals and counts. `left_out`: what the agreement lets be left out; `seed`: see `sampled`.
    """

    left_out: tuple[str, ...]
    seed: str
    reads: ClassVar = ("passed", "known")

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> pa.Table:
        fields = ", ".join(f"p.{name}" for name in derived.ADDRESS)
        each = (f"({sampled.chosen('passed', f'origin = {quote(o)}', self.seed, SAMPLE)})" for o in Origin)
        rows = connection.execute(f"""
            SELECT p.ordinal, {fields}, k.addresses_on_file FROM passed p
              LEFT JOIN known k USING (origin, record_id)
            WHERE ordinal IN ({" UNION ALL ".join(each)})""")
        found = _side_by_side(self._opinions, connection, rows)
        return pa.Table.from_pylist(found, schema=_SCHEMA)

    def _opinions(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, int | None]]:
        return [self._opinion(*row) for row in rows]

    def _opinion(self, ordinal: int, *given: Any) -> dict[str, int | None]:
        *address, on_file = given
        row = dict(zip(derived.ADDRESS, address, strict=True))
        return {"ordinal": ordinal, "blocking": self._blocking(row), "same": self._same(row, on_file or [])}

    def _blocking(self, row: Mapping[str, Any]) -> int | None:
        try:
            return len(set(twin.judge(row, self.left_out)) & set(BLOCKING_ADDRESS_CODES))
        except Exception:  # whatever the twin stumbles over, it has not found the row good
            return None

    def _same(self, row: Mapping[str, Any], on_file: list[dict[str, Any]]) -> int | None:
        try:
            asked = twin_place.mark(row, self.left_out)
            return sum(asked is not None and asked.same(twin_place.mark(one)) for one in on_file)
        except Exception:
            return None


def _side_by_side(
    work: Callable[[Sequence[tuple[Any, ...]]], list[Any]],
    connection: duckdb.DuckDBPyConnection,
    rows: duckdb.DuckDBPyConnection,
) -> list[Any]:
    """What `work` makes of all rows: of a few here, of many in as many processes as DuckDB has threads."""
    first = rows.fetchmany(_FEW)
    if len(first) < _FEW:
        return work(first)
    some = iter([first, *iter(lambda: rows.fetchmany(_AT_A_TIME), [])])
    ((threads,),) = connection.cursor().execute("SELECT current_setting('threads')").fetchall()
    with ProcessPoolExecutor(threads, get_context("spawn"), initializer=_end_with_parent) as pool:
        return [one for found in pool.map(work, some) for one in found]


def _end_with_parent() -> None:
    """A process that is killed leaves nobody behind who holds rows."""

    def wait() -> None:
        parent = parent_process()
        if parent:
            parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()
