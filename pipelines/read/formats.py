"""The formats of data files: the ends of the names by which they are known, and the reader of each."""

from pathlib import Path

from expectations.base.total import total
from expectations.instruments import Compression, FileFormat
from pipelines.read import csv, jsonl, parquet

SUFFIXES = total(FileFormat, {FileFormat.CSV: ".csv", FileFormat.JSONL: ".jsonl", FileFormat.PARQUET: ".parquet"})
NAME_IT = "Name it .csv, .csv.gz, .csv.zst or .parquet."  # what to do with a table of no format that we read
# What reads the data files of a submission, which may be hostile; raises BadInput if one is not what its letter says.
READERS = total(
    FileFormat, {FileFormat.CSV: csv.requests, FileFormat.JSONL: jsonl.requests, FileFormat.PARQUET: parquet.requests}
)
PACKED_SUFFIXES = total(Compression, {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"})


def of_name(path: Path) -> tuple[FileFormat | None, Compression]:
    """Format (None if it is none of ours) and compression, by the name alone."""
    packed = next((c for c, end in PACKED_SUFFIXES.items() if end and path.suffix == end), Compression.NONE)
    suffix = Path(path.stem if packed is not Compression.NONE else path.name).suffix
    return next((f for f, end in SUFFIXES.items() if end == suffix), None), packed
