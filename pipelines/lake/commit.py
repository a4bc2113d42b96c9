"""One try of a worker at one piece of work, and how the parts that it wrote become the step's own."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base import digests
from pipelines.lake import durable
from pipelines.lake.parts import Part, part_file

ATTEMPTS = ".attempts"
FINISHED = "finished.json"  # the parts of an attempt, once all are written
ROW_GROUP = 122_880  # DuckDB's own vector-friendly row group size

Worker = Callable[[Any, "Attempt"], Iterable[Part]]


@dataclass(frozen=True)
class Attempt:
    """A folder of its own for one try at one piece of work; nobody else writes there."""

    folder: str

    def path(self, dataset: str, index: int) -> Path:
        """Where to write part `index` of `dataset` in this attempt."""
        target = Path(self.folder) / part_file(dataset, index)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return target

    def part(self, dataset: str, index: int, **counts: int) -> Part:
        """The part just written at `path(dataset, index)`, with its row count and digest."""
        path = self.path(dataset, index)
        rows = pq.read_metadata(path).num_rows
        return Part(dataset, index, str(path), rows, digests.of_file(path), dict(counts))

    def shared(self, part: Part) -> Part:
        """A part of another step as one of this attempt: one file under two names, for parts never change."""
        path = self.path(part.dataset, part.index)
        try:
            os.link(part.path, path)
        except OSError:  # the file system has no links
            shutil.copy2(part.path, path)
        return replace(part, path=str(path))

    def write(self, dataset: str, index: int, table: pa.Table, **counts: int) -> Part:
        """Writes a table as one part."""
        pq.write_table(table, self.path(dataset, index), compression="zstd", row_group_size=ROW_GROUP)
        return self.part(dataset, index, **counts)


def finished(attempts: Path, item: str) -> list[Part]:
    """Parts of an attempt at `item` (its digest) that an earlier run finished, if they are as they were written."""
    for note in sorted(attempts.glob(f"{item}-*/{FINISHED}")):
        parts = [Part(**p) for p in json.loads(note.read_text())]
        if all(Path(p.path).exists() and digests.file_matches(Path(p.path), p.digest) for p in parts):
            return parts
    return []


def picked(written: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One attempt a part, by dataset and index: whatever was tried twice, every reader picks the same."""
    first: dict[tuple[str, int], dict[str, Any]] = {}
    for part in sorted(written, key=lambda p: p["path"]):
        first.setdefault((part["dataset"], part["index"]), part)
    return [first[key] for key in sorted(first)]


def commit_manifest(
    parts: list[dict[str, Any]], folder: str, inputs: str, labels: Mapping[str, str] | None = None
) -> None:
    """Moves the picked parts in place and writes the manifest, all of it durable: once the ledger says that a stage is
    done, nothing makes its parts again. Safe to repeat after a crash at any point."""
    target = Path(folder)
    for part in parts:
        place = part_file(part["dataset"], part["index"])
        final = target / place
        final.parent.mkdir(exist_ok=True, mode=0o700)
        if Path(part["path"]).exists():  # else an earlier try of this transform has moved it
            durable.fsync(Path(part["path"]))
            Path(part["path"]).replace(final)
        part["path"] = place
        durable.fsync(final.parent)
    ordered = sorted(parts, key=lambda p: (p["dataset"], p["index"]))
    body = {"step": target.name, "inputs": inputs, "parts": ordered, **({"labels": dict(labels)} if labels else {})}
    durable.write(target / "manifest.json", json.dumps(body, indent=1, sort_keys=True).encode())
    durable.fsync(target.parent)
    shutil.rmtree(target / ATTEMPTS, ignore_errors=True)
