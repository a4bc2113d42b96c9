"""The rows of a small batch, derived again for the checkpoints while the stage derives them.

What comes of a row depends on its raw fields alone, and two checkpoints derive the same rows: one after the other, a
tenth of a small batch's time, while a processor is idle beside the stage. This is the checkpoints' own reading: nothing
that the stage derived goes into it. It counts only if the rows that are looked at have the same raw fields; else, and
wherever the batch goes on in another process, they are derived as in every other batch.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import DuckSettings, session
from expectations.contracts.request import RAW_NAMES
from expectations.gx.checks import Setup
from expectations.suites import derived

_GIVEN = ("ordinal", "origin", *RAW_NAMES)


class Ahead:
    """Begins at once, in a thread of its own. See `derived.fields` for what is given; `setup`: `derived.setup`."""

    def __init__(
        self, raw: str, agreed: tuple[tuple[str, ...], tuple[str, ...]], setup: tuple[Setup, ...], duck: DuckSettings
    ) -> None:
        pool = ThreadPoolExecutor(1, "ahead")
        self._made: Future[pa.Table] = pool.submit(_derived, derived.fields(raw, *agreed), setup, duck)
        pool.shutdown(wait=False)

    def of(self, rows: Sequence[str | Path]) -> pa.Table | None:
        """One row each of these canonical rows (Parquet files): ordinal, origin and `derived.COLUMNS`. None if it could
        not be made, was made of others, or these cannot be read."""
        try:
            made = self._made.result()
            stored = pa.concat_tables(pq.ParquetFile(path).read(columns=list(_GIVEN)) for path in rows)
            return made if _same(made.select(_GIVEN), stored) else None
        except Exception:  # whoever derives them as ever meets it again, and its verdict is an error
            return None


def _derived(query: str, setup: tuple[Setup, ...], duck: DuckSettings) -> pa.Table:
    with session(duck) as connection:
        for define in setup:
            define(connection)
        names = ", ".join(("ordinal", "origin", *derived.COLUMNS))
        return connection.execute(f"SELECT {names} FROM ({query}) ORDER BY ordinal").to_arrow_table()


def _same(made: pa.Table, stored: pa.Table) -> bool:
    """Whether both hold the same rows, in whatever order and with whatever types of text. No ordinal twice is told by
    it: the raw rows have each once."""
    if made.num_rows != stored.num_rows:
        return False
    ordered = stored.sort_by("ordinal").cast(made.schema)
    return all(made.column(name).equals(ordered.column(name)) for name in _GIVEN)
