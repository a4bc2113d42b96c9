"""A file that a command writes for a person: CSV or Parquet by its name, in place whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from expectations.base.errors import BadInput
from pipelines.lake.locked_folder import locked_folder

SUFFIXES = (".csv", ".parquet")


@contextmanager
def workplace(out: Path, source: Path, name: str) -> Iterator[Path]:
    """A folder of our own (0700, `.name-…`) beside `out`, removed at the end: what is made there is moved to `out`,
    whole. Such folders that a killed process abandoned there are deleted, too.

    Raises BadInput if `out` cannot stand where it is named: UNKNOWN_FORMAT, NOT_A_FILE, SAME_FILE (it would replace
    `source`), OUT_UNWRITABLE.
    """
    if out.suffix not in SUFFIXES:
        raise _bad(
            "UNKNOWN_FORMAT", "it is written as CSV or Parquet", f"Name a file that ends in {' or '.join(SUFFIXES)}."
        )
    if out.is_dir():
        raise _bad("NOT_A_FILE", "a folder stands where the file goes", "Name a file.")
    if out.exists() and source.exists() and out.samefile(source):
        raise _bad("SAME_FILE", "it would replace the file that is read", "Name another.")
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(locked_folder(out.parent, f".{name}-"))
        except OSError:
            raise _bad(
                "OUT_UNWRITABLE", "its folder is missing or cannot be written to", "Name a file in a folder of yours."
            ) from None
        yield folder


def _bad(code: str, message: str, remedy: str) -> BadInput:
    return BadInput(code, message, where="--out", remedy=remedy)
