"""The reader of each format, for the data files of a submission, which may be hostile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from pipelines.read import csv, jsonl, parquet
from pipelines.read.blocks import Submitted
from pipelines.read.formats import FileFormat
from pipelines.read.stretch import Read

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
