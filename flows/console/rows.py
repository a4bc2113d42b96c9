"""The requests of a batch in flight that go no further at a checkpoint: a page of them, and all of them as a file."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pyarrow as pa

from expectations.base.duck import parquet, quote, session
from expectations.contracts.lists import Origin
from flows.home.tree import Home
from flows.ledger.lifecycles.states import Checkpoint
from pipelines import lake
from pipelines.release.outcomes import SECRET

PAGE = 500  # rows on a page
_KEPT = 4  # lists in memory: of 1.28 million rows one takes about 30 MB
# The step whose rows a checkpoint judges, and the dataset in it that says why a row goes no further.
_ROWS = {Checkpoint.INTAKE: ("ingest.rows", "rows"), Checkpoint.ELIGIBILITY: ("validate.verdicts", "verdicts")}
_lists: OrderedDict[tuple[str, str], pa.Table] = OrderedDict()
_lock = threading.Lock()


class Rows:
    """By code, then number: code, number in the batch, file and row of it (a row that was looked up has only its
    number). A row stands once under each of its codes. None once the batch has ended. A person whom the holder
    protects is not among them: it would tell who is protected."""

    def __init__(self, home: Home, batch: str, which: Checkpoint) -> None:
        step, dataset = _ROWS.get(which, ("", ""))
        folder = home.lake / batch / step
        stored = lake.read_manifest(folder) if step else None
        self._home, self._paths = home, stored.paths(dataset) if stored else []
        self._name = (str(folder), stored.digest if stored else "")  # what was committed stays as it is
        self._place = "file, row" if which is Checkpoint.INTAKE else "NULL AS file, NULL AS row"

    def page(self, number: int) -> tuple[int, list[tuple[Any, ...]]]:
        """How many there are on all pages, and those of this one, the first of which is 1."""
        if not self._paths:
            return 0, []
        everything = self._list()
        part = everything.slice((number - 1) * PAGE, PAGE)
        return everything.num_rows, list(zip(*(column.to_pylist() for column in part.columns), strict=True))

    def write(self, path: Path) -> None:
        """All of them, as CSV: numbers and codes only, so that no cell is ever a formula."""
        with session(self._home.duck) as connection:
            connection.execute(f"COPY ({self._query()}) TO {quote(str(path))} (FORMAT csv, HEADER)")

    def _list(self) -> pa.Table:
        """All of them, worked out once for all who turn its pages: to sort a national batch takes a while."""
        with _lock:
            if self._name not in _lists:
                with session(self._home.duck) as connection:
                    found = connection.execute(self._query()).to_arrow_table()
                _lists[self._name] = found.set_column(0, "code", found.column("code").dictionary_encode())
                if len(_lists) > _KEPT:
                    _lists.popitem(last=False)
            _lists.move_to_end(self._name)
            return _lists[self._name]

    def _query(self) -> str:
        return f"""
            SELECT code, ordinal AS number, {self._place} FROM (
              SELECT unnest(v.codes) AS code, v.* FROM {parquet(self._paths)} v
              WHERE v.origin = '{Origin.REQUEST}' AND NOT {SECRET})
            ORDER BY code, number"""
