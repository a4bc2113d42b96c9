"""Errors that may quote a value stop here, and how an error of a worker reaches the person.

DuckDB, pyarrow and Python quote what they could not convert; a runner logs what a worker raises and passes it on as a
string. So nothing but an error of ours, which holds a kind and a place and no value, ever leaves a block of `no_values`
or a worker. A worker's error is written beside its attempt; the step reads it back from there and raises it whole.
"""

import errno
import json
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from expectations.base import errors
from expectations.base.errors import Fault, SluicegateError, Transient

ERROR = "error.json"


@contextmanager
def no_values(where: str = "") -> Iterator[None]:
    """Runs a block; raises Transient when memory, disk or files failed it, Fault on any other error, without its text.

    where   the step, for people; if empty, the file and line at which the error came up
    """
    try:
        yield
    except SluicegateError:
        raise
    except Exception as error:
        raise without_text(error, where) from None


@contextmanager
def recorded(folder: Path) -> Iterator[None]:
    """`no_values` that also writes the error that the block raises to `folder`, in the place of what the block wrote
    there: nobody reads that any more, and where a full disk was the error, this makes the room for it."""
    try:
        with no_values():
            yield
    except SluicegateError as error:
        shutil.rmtree(folder, ignore_errors=True)
        body = [type(error).__name__, error.code, error.message, error.where, error.remedy]
        with suppress(OSError):  # then the runner's own word for it must do
            folder.mkdir(parents=True, mode=0o700)
            (folder / ERROR).write_text(json.dumps(body))
        raise


def first_of(folder: Path) -> SluicegateError | None:
    """The first error recorded whole in the folders under `folder`, or None."""
    for path in sorted(folder.glob(f"*/{ERROR}")):
        with suppress(ValueError):  # the disk was full for this one too
            kind, code, message, where, remedy = json.loads(path.read_text())
            return getattr(errors, kind)(code, message, where=where, remedy=remedy)
    return None


def without_text(error: Exception, where: str) -> SluicegateError:
    """An error of ours in the place of one that may quote a value: Transient if a retry may succeed, else Fault."""
    place = where or place_of(error)
    if (resource := of_resources(error, place)) is not None:
        return resource
    said = f"a worker failed with {type(error).__name__}; what it said may hold values and is not shown"
    return Fault("WORKER_FAILED", said, where=place)


def of_resources(error: Exception, place: str) -> Transient | None:
    """What memory, disk or files failed, as an error of ours; None if it is something else."""
    if not isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException | OSError | MemoryError):
        return None
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "Make room, then run again."
        return Transient("DISK_FULL", "no space is left on the disk", where=place, remedy=remedy)
    said = f"{type(error).__name__} while reading or writing"
    remedy = "Check memory, free space and that the files are still there, then run again."
    return Transient("RESOURCE_FAILED", said, where=place, remedy=remedy)


def place_of(error: Exception) -> str:
    """File and line at which an error came up."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name} line {frame.lineno}"
