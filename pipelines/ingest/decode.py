"""Data files to raw rows and rejects. One piece of work is one file: a stream cannot be entered in its middle.

The letter says how many rows each file has. So ordinals and part numbers are known before anything is read, and a file
that goes on longer is stopped there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import DuckSettings, parquet, session
from expectations.base.errors import BadInput
from expectations.contracts.lists import Origin
from expectations.contracts.request import RAW_REQUEST, REQUIRED_COLUMNS
from expectations.contracts.stages import PLACE, REJECT
from expectations.instruments import DataFile
from pipelines.lake import Attempt, Part
from pipelines.read.blocks import BLOCK, Submitted
from pipelines.read.formats import READERS
from pipelines.read.stretch import Read, Reject, screen

RAW = pa.schema([*PLACE, *RAW_REQUEST])
# Judging a row is far dearer than reading it: row groups are small, so that all threads have one to work on.
RAW_GROUP = 20_480


@dataclass(frozen=True)
class FileWork:
    """One data file: its number from 1, and where its ordinals and raw parts begin."""

    number: int
    path: str
    file: DataFile
    first_ordinal: int
    first_part: int


def plan(files: tuple[DataFile, ...], folder: Path, part_rows: int) -> list[FileWork]:
    """The work on the data files in `folder`; raises BadInput (NO_ROWS) if the letter names a file without rows."""
    work, ordinal, part = [], 0, 0
    for number, file in enumerate(files, 1):
        if file.rows == 0:
            raise BadInput("NO_ROWS", "the letter names a file without rows", where=file.path, remedy="Leave it out.")
        work.append(FileWork(number, str(folder / file.path), file, ordinal, part))
        ordinal, part = ordinal + file.rows, part + -(-file.rows // part_rows)
    return work


@dataclass(frozen=True)
class Decode:
    """Worker of the step `ingest.decode`. Raises BadInput, naming the file, for one that is not as the letter says."""

    part_rows: int
    duck: DuckSettings
    required: tuple[str, ...] = REQUIRED_COLUMNS
    block: int = BLOCK

    def __call__(self, work: FileWork, attempt: Attempt) -> Iterator[Part]:
        file, scratch = work.file, Path(attempt.folder) / f"unpacked-{work.number}"
        given = Submitted(Path(work.path), file.path, file.compression, scratch, self.duck, self.required, self.block)
        rejects: list[Reject] = []
        parts = _Parts(work, attempt, self.part_rows)
        seen = 0
        for read in map(screen, READERS[file.format](given)):
            seen += read.count
            if seen > file.rows:
                break
            rejects += read.rejects
            yield from parts.add(read)
        if seen != file.rows:
            message = f"the letter says {file.rows} rows, the file has {'more' if seen > file.rows else seen}"
            remedy = "Correct the count in the letter, or send the whole file."
            raise BadInput("COUNT_DIFFERS", message, where=file.path, remedy=remedy)
        yield from parts.close()
        yield attempt.write("rejects", work.number - 1, _reject_table(work, rejects), rejected=len(rejects))


@dataclass(frozen=True)
class Duplicates:
    """What only the whole submission can say: dataset `duplicates`, the request ids of more than one row."""

    duck: DuckSettings

    def __call__(self, parts: list[Part], attempt: Attempt) -> Iterator[Part]:
        raw = parquet([p.path for p in parts if p.dataset == "raw"])
        with session(self.duck) as connection:
            several = f"SELECT request_id FROM {raw} GROUP BY request_id HAVING count(*) > 1 ORDER BY request_id"
            table = connection.execute(several).to_arrow_table()
        yield attempt.write("duplicates", 0, table)


class _Parts:
    """Cuts the readable rows of one file into raw parts of `size` ordinals each."""

    def __init__(self, work: FileWork, attempt: Attempt, size: int) -> None:
        self.work, self.attempt, self.size = work, attempt, size
        self.index, self.held = 0, [RAW.empty_table()]

    def add(self, read: Read) -> Iterator[Part]:
        """Takes rows on; yields the parts that are complete with them."""
        table, rows = _placed(self.work, read), read.rows
        while len(rows) and rows[-1] > (self.index + 1) * self.size:
            cut = int(np.searchsorted(rows, (self.index + 1) * self.size, side="right"))
            self.held.append(table[:cut])
            yield self._write()
            table, rows = table[cut:], rows[cut:]
        self.held.append(table)

    def close(self) -> Iterator[Part]:
        """The parts that are left: each planned part is written, even if all its rows were rejected."""
        while self.index * self.size < self.work.file.rows:
            yield self._write()

    def _write(self) -> Part:
        table, self.held = pa.concat_tables(self.held), [RAW.empty_table()]
        number, self.index = self.work.first_part + self.index, self.index + 1
        pq.write_table(table, self.attempt.path("raw", number), compression="zstd", row_group_size=RAW_GROUP)
        return self.attempt.part("raw", number)


def _placed(work: FileWork, read: Read) -> pa.Table:
    """The readable rows with their place, in the schema of raw rows."""
    count, present = read.table.num_rows, set(read.table.column_names)
    columns = [read.table.column(f.name) if f.name in present else pa.nulls(count, pa.string()) for f in RAW_REQUEST]
    return pa.table([*_place(work, read.rows), *columns], schema=RAW)


def _place(work: FileWork, rows: np.ndarray) -> list[pa.Array]:
    """Columns for PLACE of rows with these numbers in their file."""
    file, origin = pa.scalar(work.number, pa.int32()), pa.scalar(str(Origin.REQUEST))
    ordinals = pa.array(rows + (work.first_ordinal - 1), pa.int64())
    return [ordinals, pa.repeat(file, len(rows)), pa.array(rows, pa.int64()), pa.repeat(origin, len(rows))]


def _reject_table(work: FileWork, rejects: list[Reject]) -> pa.Table:
    ordered = sorted(rejects, key=lambda r: r.row)
    place = _place(work, np.array([r.row for r in ordered], dtype=np.int64))
    said = [pa.array(texts, pa.string()) for texts in ([r.field for r in ordered], [r.code for r in ordered])]
    return pa.table([*place, *said], schema=REJECT)
