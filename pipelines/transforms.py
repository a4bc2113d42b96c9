"""The Beam side of a step: work spread over attempts, one attempt a part picked, the manifest committed (`lake`).

A module of its own, so that what only reads or writes parts does not wait for Beam's import.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import apache_beam as beam

from expectations import digests
from pipelines import durable, failures, lake
from pipelines import runner as runners
from pipelines.lake import ATTEMPTS, Attempt, Part, Worker


def run(
    folder: Path,
    inputs: str,
    items: list[Any],
    worker: Worker,
    then: Worker | None,
    runner: str,
    resume: bool,
    labels: dict[str, str],
) -> None:
    """Runs a step's work on `items` and commits it in `folder` (see `lake.run_step`, the only caller)."""
    attempts = str(folder / ATTEMPTS)
    with beam.Pipeline(options=runners.options(runner)) as pipeline:
        parts = (
            pipeline
            | "Work" >> beam.Create(items)
            | "Spread" >> beam.Reshuffle()
            | "Write parts" >> beam.ParDo(_Write(worker, attempts, resume))
        )
        if then is not None:
            parts = (parts, parts | "Then" >> _Then(then, attempts)) | beam.Flatten()
        _ = parts | "Commit" >> Commit(str(folder), inputs, labels)


class _Write(beam.DoFn):
    """Gives each piece of work an attempt of its own; or takes the parts of one that an earlier run finished."""

    def __init__(self, worker: Worker, attempts: str, resume: bool) -> None:
        self.worker, self.attempts, self.resume = worker, attempts, resume

    def process(self, item: Any) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
        name = digests.of_json(item)[:16]
        parts = lake.finished(Path(self.attempts), name) if self.resume else []
        attempt = Attempt(f"{self.attempts}/{name}-{uuid.uuid4().hex}")
        with failures.kept(Path(attempt.folder)):
            written = []
            for part in parts or self.worker(item, attempt):
                written.append(asdict(part))
                yield (part.dataset, part.index), written[-1]
            if self.resume and not parts:
                durable.write(Path(attempt.folder) / lake.FINISHED, json.dumps(written).encode())


class _Then(beam.PTransform):
    """Hands all parts, one attempt each, to one more piece of work."""

    def __init__(self, worker: Worker, attempts: str) -> None:
        super().__init__()
        self.worker, self.attempts = worker, attempts

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return (
            parts
            | "Attempts so far" >> beam.GroupByKey()
            | "Pick one so far" >> beam.MapTuple(_pick)
            | "All so far" >> beam.combiners.ToList()
            | "As parts" >> beam.Map(_as_parts)
            | "Write more parts" >> beam.ParDo(_Write(self.worker, self.attempts, False))
        )


def _as_parts(parts: list[dict[str, Any]]) -> list[Part]:
    return sorted((Part(**p) for p in parts), key=lambda p: (p.dataset, p.index))


class Commit(beam.PTransform):
    """Picks one attempt a part, moves it in place, and writes the manifest last."""

    def __init__(self, folder: str, inputs: str, labels: dict[str, str]) -> None:
        super().__init__()
        self.folder, self.inputs, self.labels = folder, inputs, labels

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return (
            parts
            | "Attempts of a part" >> beam.GroupByKey()
            | "Pick one" >> beam.MapTuple(_pick)
            | "All parts" >> beam.combiners.ToList()
            | "Manifest" >> beam.Map(lake.commit_manifest, self.folder, self.inputs, self.labels)
        )


def _pick(key: tuple[str, int], attempts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return min(attempts, key=lambda p: p["path"])
