"""The Beam side of a step: work spread over attempts, one attempt a part picked, the manifest committed.

A module of its own, so that what only reads or writes parts does not wait for Beam's import. Few transforms on purpose:
on small batches and in tests Beam's own work for each of them is most of what a step costs. For the same reason, the
embedded runner is given graphs that were translated before (see `graph`).

A GroupByKey stands before the commit even where there is one piece of work. Fused with it, a commit that a runner tries
again would have the work done again before it, and put a second attempt in the place of parts that are committed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

import apache_beam as beam

from expectations.base import algorithms, digests
from expectations.base.algorithms import Scheme
from pipelines.lake import commit, durable, failures
from pipelines.lake import runner as runners
from pipelines.lake.commit import ATTEMPTS, FINISHED, Attempt, Worker, finished
from pipelines.lake.graph import Graph, translated
from pipelines.lake.parts import Part
from pipelines.lake.runner import EMBEDDED

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
    several = len(items) > 1
    pieces = list(enumerate(items)) if several else [(0, items)]
    fns = _fns(folder, inputs, pieces, worker, then, resume, labels)
    if runner == EMBEDDED:
        _graph(several, then is not None).run(fns)
        return
    with beam.Pipeline(options=runners.options(runner)) as pipeline:
        _connect(pipeline, fns, several)


def prepare() -> None:
    """Translates every graph there is: for a process that is forked for each batch, before it is."""
    for several in (False, True):
        for more in (False, True):
            _graph(several, more)


@cache
def _graph(several: bool, more: bool) -> Graph:
    """The graph of a step: its work in several pieces or in one, with more work on all parts or without."""
    fns = _fns(Path(), "", [], _nothing, _nothing if more else None, False, {})
    return translated(partial(_connect, fns=fns, several=several))


def _nothing(_item: Any, _attempt: Attempt) -> Iterable[Part]:
    """The worker in a graph that stands for no step yet."""
    return ()


def _fns(
    folder: Path,
    inputs: str,
    pieces: list[tuple[int, Any]],
    worker: Worker,
    then: Worker | None,
    resume: bool,
    labels: dict[str, str],
) -> dict[str, beam.DoFn]:
    """What a step's transforms do, by their names."""
    attempts, scheme = str(folder / ATTEMPTS), algorithms.in_force()
    return {
        "Work": _Work(pieces),
        "Write parts": _Write(worker, attempts, resume, scheme),
        **({"Then": _Then(then, attempts, scheme)} if then is not None else {}),
        "Commit": _Commit(str(folder), inputs, labels),
    }


def _connect(pipeline: beam.Pipeline, fns: dict[str, beam.DoFn], several: bool) -> None:
    """Builds a step's graph on the pipeline."""
    work = pipeline | beam.Impulse() | "Work" >> beam.ParDo(fns["Work"])
    if several:
        work = work | "Spread" >> beam.GroupByKey()  # each piece has a key of its own: any worker may take it
    parts = work | "Write parts" >> beam.ParDo(fns["Write parts"]) | "All parts" >> beam.GroupByKey()
    if "Then" in fns:
        parts = parts | "Then" >> beam.ParDo(fns["Then"]) | "All and more" >> beam.GroupByKey()
    _ = parts | "Commit" >> beam.ParDo(fns["Commit"])


class _Work(beam.DoFn):
    """Hands out the pieces of work, by number."""

    def __init__(self, pieces: list[tuple[int, Any]]) -> None:
        self.pieces = pieces

    def process(self, _impulse: bytes) -> Iterator[tuple[int, Any]]:
        yield from self.pieces


class _Write(beam.DoFn):
    """Gives each piece of work an attempt of its own; or takes the parts of one that an earlier run finished."""

    def __init__(self, worker: Worker, attempts: str, resume: bool, scheme: Scheme) -> None:
        self.worker, self.attempts, self.resume, self.scheme = worker, attempts, resume, scheme

    def process(self, numbered: tuple[int, Iterable[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        algorithms.use(self.scheme)  # it may run in another process, which has opened no ledger
        for item in numbered[1]:
            yield from _written(item, self.worker, self.attempts, self.resume)


def _written(item: Any, worker: Worker, attempts: str, resume: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    name = digests.name_of_json(item)[:16]
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

    def __init__(self, worker: Worker, attempts: str, scheme: Scheme) -> None:
        self.worker, self.attempts, self.scheme = worker, attempts, scheme

    def process(self, written: tuple[str, Iterable[dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
        algorithms.use(self.scheme)
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
