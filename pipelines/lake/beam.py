"""The Beam side of a step: work spread over attempts, one attempt a part picked, the manifest committed.

A module of its own, so that what only reads or writes parts does not wait for Beam's import. Few transforms on purpose:
on small batches and in tests Beam's own work for each of them is most of what a step costs.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import apache_beam as beam

from expectations.base import digests
from pipelines.lake import commit, durable, failures
from pipelines.lake import runner as runners
from pipelines.lake.commit import ATTEMPTS, FINISHED, Attempt, Worker, finished
from pipelines.lake.parts import Part

ALL = "all"  # the key under which every part of a step comes together


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
    """Runs a step's work on `items` and commits it in `folder` (see `step.run_step`, the only caller)."""
    attempts = str(folder / ATTEMPTS)
    with beam.Pipeline(options=runners.options(runner)) as pipeline:
        if len(items) > 1:  # each under a key of its own: any worker may take it
            work = pipeline | "Work" >> beam.Create(list(enumerate(items))) | "Spread" >> beam.GroupByKey()
        else:
            work = pipeline | "Work" >> beam.Create([(0, items)])
        parts = work | "Write parts" >> beam.ParDo(_Write(worker, attempts, resume)) | "All parts" >> beam.GroupByKey()
        if then is not None:
            parts = parts | "Then" >> beam.ParDo(_Then(then, attempts)) | "All and more" >> beam.GroupByKey()
        _ = parts | "Commit" >> beam.ParDo(_Commit(str(folder), inputs, labels))


class _Write(beam.DoFn):
    """Gives each piece of work an attempt of its own; or takes the parts of one that an earlier run finished."""

    def __init__(self, worker: Worker, attempts: str, resume: bool) -> None:
        self.worker, self.attempts, self.resume = worker, attempts, resume

    def process(self, numbered: tuple[int, Iterable[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for item in numbered[1]:
            yield from _written(item, self.worker, self.attempts, self.resume)


def _written(item: Any, worker: Worker, attempts: str, resume: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    name = digests.of_json(item)[:16]
    parts = finished(Path(attempts), name) if resume else []
    attempt = Attempt(f"{attempts}/{name}-{uuid.uuid4().hex}")
    with failures.recorded(Path(attempt.folder)):
        written = []
        for part in parts or worker(item, attempt):
            written.append(asdict(part))
            yield ALL, written[-1]
        if resume and not parts:
            durable.write(Path(attempt.folder) / FINISHED, json.dumps(written).encode())


class _Then(beam.DoFn):
    """Hands all parts, one attempt each, to one more piece of work, and passes them on with the parts that it adds."""

    def __init__(self, worker: Worker, attempts: str) -> None:
        self.worker, self.attempts = worker, attempts

    def process(self, written: tuple[str, Iterable[dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
        picked = commit.picked(written[1])
        for part in picked:
            yield ALL, part
        yield from _written([Part(**p) for p in picked], self.worker, self.attempts)


class _Commit(beam.DoFn):
    """Picks one attempt a part, moves it in place, and writes the manifest last."""

    def __init__(self, folder: str, inputs: str, labels: dict[str, str]) -> None:
        self.folder, self.inputs, self.labels = folder, inputs, labels

    def process(self, written: tuple[str, Iterable[dict[str, Any]]]) -> None:
        commit.commit_manifest(commit.picked(written[1]), self.folder, self.inputs, self.labels)
