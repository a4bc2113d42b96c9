"""The rows of a small batch, derived again for the checkpoints while the stage derives them.

What comes of a row depends on its raw fields and the letter alone, and two checkpoints derive the same rows: one after
the other, a tenth of a small batch's time, while a processor is idle beside the stage. This is the checkpoints' own
reading: nothing that the stage derived goes into it. It counts only if the rows that are looked at have the same raw
fields, and the letter says the same; else, and wherever the batch goes on in another process, they are derived as in
every other batch.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import DuckSettings, session
from expectations.contracts.request import RAW_NAMES
from expectations.facts.letter import LetterFacts
from expectations.facts.sql import beside_request
from expectations.gx.checks import Setup
from expectations.rules.book import request_rules
from expectations.rules.rule import failing_codes
from expectations.suites import derived

_GIVEN = ("ordinal", "origin", *RAW_NAMES)


class Ahead:
    """Begins at once, in a thread of its own. See `derived.again` for what is given; `setup`: `derived.setup`."""

    def __init__(
        self,
        raw: str,
        letter: LetterFacts,
        agreed: tuple[tuple[str, ...], tuple[str, ...]],
        setup: tuple[Setup, ...],
        duck: DuckSettings,
    ) -> None:
        self._letter = beside_request(letter)
        again = derived.again(raw, letter, *agreed)
        query = f"SELECT *, {failing_codes(request_rules())} AS derived_codes FROM ({again})"
        pool = ThreadPoolExecutor(1, "ahead")
        self._made: Future[pa.Table] = pool.submit(_derived, query, setup, duck)
        pool.shutdown(wait=False)

    def of(self, rows: Sequence[str | Path], letter: LetterFacts) -> pa.Table | None:
        """One row each of these canonical rows (Parquet files): ordinal, origin, `derived.COLUMNS`, and derived_codes,
        the codes of the request rules that it fails under this letter. None if it could not be made, was made of other
        rows or under other facts, or these cannot be read."""
        try:
            if beside_request(letter) != self._letter:
                return None
            made = self._made.result()
            stored = pa.concat_tables(pq.ParquetFile(path).read(columns=list(_GIVEN)) for path in rows)
            return made if _same(made.select(_GIVEN), stored) else None
        except Exception:  # whoever derives them as ever meets it again, and its verdict is an error
            return None


def _derived(query: str, setup: tuple[Setup, ...], duck: DuckSettings) -> pa.Table:
    with session(duck) as connection:
        for define in setup:
            define(connection)
        names = ", ".join(("ordinal", "origin", *derived.COLUMNS, "derived_codes"))
        return connection.execute(f"SELECT {names} FROM ({query}) ORDER BY ordinal").to_arrow_table()


def _same(made: pa.Table, stored: pa.Table) -> bool:
    """Whether both hold the same rows, in whatever order and with whatever types of text. No ordinal twice is told by
    it: the raw rows have each once."""
    if made.num_rows != stored.num_rows:
        return False
    ordered = stored.sort_by("ordinal").cast(made.schema)
    return all(made.column(name).equals(ordered.column(name)) for name in _GIVEN)
