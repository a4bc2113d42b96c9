"""The formats of data files: the ends of the names by which they are known, and the reader of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import assert_never

from expectations.instruments import Compression, FileFormat
from pipelines.read import csv, jsonl, parquet
from pipelines.read.blocks import Submitted
from pipelines.read.stretch import Read

SUFFIXES = {FileFormat.CSV: ".csv", FileFormat.JSONL: ".jsonl", FileFormat.PARQUET: ".parquet"}
NAME_IT = "Name it .csv, .csv.gz, .csv.zst or .parquet."  # what to do with a table of no format that we read
PACKED_SUFFIXES = {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}


def of_name(path: Path) -> tuple[FileFormat | None, Compression]:
    """Format (None if it is none of ours) and compression, by the name alone."""
    packed = next((c for c, end in PACKED_SUFFIXES.items() if end and path.suffix == end), Compression.NONE)
    suffix = Path(path.stem if packed is not Compression.NONE else path.name).suffix
    return next((f for f, end in SUFFIXES.items() if end == suffix), None), packed


Reader = Callable[[Submitted], Iterator[Read]]


def reader(form: FileFormat) -> Reader:
    """What reads data files of this format, in order; raises BadInput if one is not what its letter says."""
    match form:
        case FileFormat.CSV:
            return csv.requests
        case FileFormat.JSONL:
            return jsonl.requests
        case FileFormat.PARQUET:
            return parquet.requests
        case _:
            assert_never(form)
