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

PAGE = 200  # rows on a page
_KEPT = 5_120_000  # rows of the lists in memory, together: a million take about 25 MB
_LEAST = 1_000  # rows that a list counts for, however short it is: it takes its place too
# The step whose rows a checkpoint judges, and the dataset in it that says why a row goes no further.
_ROWS = {Checkpoint.INTAKE: ("ingest.rows", "rows"), Checkpoint.ELIGIBILITY: ("validate.verdicts", "verdicts")}
_lists: OrderedDict[tuple[str, str], pa.Table] = OrderedDict()
_lock = threading.Lock()


class Ended(Exception):
    """The batch ended meanwhile, and its rows were deleted: whoever asks once more finds none."""


class Rows:
    """By code, then number: code, number in the batch, file and row of it (a row that was looked up has only its
    number). A row stands once under each of its codes. None once the batch has ended. A person whom the holder
    protects is not among them: it would tell who is protected."""

    def __init__(self, home: Home, batch: str, which: Checkpoint) -> None:
        step, self._dataset = _ROWS.get(which, ("", ""))
        self._home, self._folder = home, home.lake / batch / step
        self._digest = _digest(self._folder) if step else None
        self._place = "file, row" if which is Checkpoint.INTAKE else "NULL AS file, NULL AS row"

    def page(self, number: int) -> tuple[int, list[tuple[Any, ...]]]:
        """How many there are on all pages, and those of this one, the first of which is 1."""
        everything = self._list()
        if everything is None:
            return 0, []
        part = everything.slice((number - 1) * PAGE, PAGE)
        return everything.num_rows, list(zip(*(column.to_pylist() for column in part.columns), strict=True))

    def write(self, path: Path) -> None:
        """All of them, as CSV: numbers and codes only, so that no cell is ever a formula. Only where there are some."""
        with session(self._home.duck) as connection:
            connection.execute(f"COPY ({self._query(self._paths())}) TO {quote(str(path))} (FORMAT csv, HEADER)")

    def _list(self) -> pa.Table | None:
        """All of them, read, proven and sorted once for all who turn its pages: that takes a while for a national
        batch, and what was committed stays as it is."""
        if self._digest is None:
            return None
        name = (str(self._folder), self._digest)
        with _lock:
            if name not in _lists:
                paths = self._paths()
                if not paths:
                    return None
                with session(self._home.duck) as connection:
                    found = connection.execute(self._query(paths)).to_arrow_table()
                _lists[name] = found.set_column(0, "code", found.column("code").dictionary_encode())
                _forget(name)
            _lists.move_to_end(name)
            return _lists[name]

    def _paths(self) -> list[str]:
        """The parts, each of which was read and is what was committed; none if one is not. Raises Ended."""
        stored = lake.read_manifest(self._folder)
        if stored is None and not lake.is_committed(self._folder):
            raise Ended
        return stored.paths(self._dataset) if stored else []

    def _query(self, paths: list[str]) -> str:
        return f"""
            SELECT code, ordinal AS number, {self._place} FROM (
              SELECT unnest(v.codes) AS code, v.* FROM {parquet(paths)} v
              WHERE v.origin = '{Origin.REQUEST}' AND NOT {SECRET})
            ORDER BY code, number"""


def _forget(kept: tuple[str, str]) -> None:
    """Drops those longest not asked for, all but this one, until the rest is few enough. `_lock` is held."""
    rows = sum(max(each.num_rows, _LEAST) for each in _lists.values())
    for name in list(_lists):
        if rows <= _KEPT:
            break
        if name != kept:
            rows -= max(_lists.pop(name).num_rows, _LEAST)


def _digest(folder: Path) -> str | None:
    """Of what a step says that it committed; None if it has not, or has no more."""
    try:
        return lake.stated(folder).digest
    except FileNotFoundError:
        return None
