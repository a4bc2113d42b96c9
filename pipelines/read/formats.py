"""Formats and compressions of files, and the ends of the names by which they are known."""

from __future__ import annotations

from pathlib import Path

from expectations.instruments import Compression, FileFormat

__all__ = ["Compression", "FileFormat", "of_name"]

SUFFIXES = {FileFormat.CSV: ".csv", FileFormat.JSONL: ".jsonl", FileFormat.PARQUET: ".parquet"}
NAME_IT = "Name it .csv, .csv.gz, .csv.zst or .parquet."  # what to do with a table of no format that we read
PACKED_SUFFIXES = {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}


def of_name(path: Path) -> tuple[FileFormat | None, Compression]:
    """Format (None if it is none of ours) and compression, by the name alone."""
    packed = next((c for c, end in PACKED_SUFFIXES.items() if end and path.suffix == end), Compression.NONE)
    suffix = Path(path.stem if packed is not Compression.NONE else path.name).suffix
    return next((f for f, end in SUFFIXES.items() if end == suffix), None), packed
