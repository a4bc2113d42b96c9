"""Graphs that Beam translated before do for a step what a pipeline of its own does; nothing of a step stays in them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.runners.worker.statesampler import StateSampler
from apache_beam.utils.counters import CounterFactory

from expectations.base.errors import BadInput
from pipelines import lake
from pipelines.lake import beam, graph
from pipelines.lake import runner as runners
from pipelines.lake.runner import Runner


@dataclass(frozen=True)
class Multiples:
    """A worker that is another one for each step."""

    factor: int

    def __call__(self, item: int, attempt: lake.Attempt) -> Iterator[lake.Part]:
        yield attempt.write("numbers", item, pa.table({"n": [item * self.factor]}), seen=1)


def add_up(parts: list[lake.Part], attempt: lake.Attempt) -> Iterator[lake.Part]:
    total = sum(pq.read_table(part.path)["n"][0].as_py() for part in parts)
    yield attempt.write("total", 0, pa.table({"n": [total]}))


def refuse_the_second(item: int, attempt: lake.Attempt) -> Iterator[lake.Part]:
    if item == 1:
        raise BadInput("COUNT_DIFFERS", "the count differs", where=f"item {item}", remedy="Count again.")
    yield from Multiples(1)(item, attempt)


def as_on_flink(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline is built for each step, as for a runner elsewhere; Beam's own runner stands in for it."""
    own = runners.options()
    monkeypatch.setattr(runners, "options", lambda name: own)


@pytest.mark.parametrize("then", [None, add_up])
@pytest.mark.parametrize("items", [[1], [1, 2, 0]])
def test_a_kept_graph_commits_what_a_pipeline_of_its_own_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, items: list[int], then: lake.Worker | None
) -> None:
    run: Callable[..., lake.Manifest] = partial(lake.run_step, then=then, labels={"a": "b"})
    run(tmp_path / "kept" / "s", {"a": 1}, items, Multiples(7))
    as_on_flink(monkeypatch)
    run(tmp_path / "built" / "s", {"a": 1}, items, Multiples(7), runner=Runner.FLINK)
    kept, built = (json.loads((tmp_path / way / "s" / "manifest.json").read_text()) for way in ("kept", "built"))
    assert kept == built
    assert len(kept["parts"]) == len(items) + (then is not None) and kept["labels"] == {"a": "b"}
    assert [p.name for p in (tmp_path / "kept" / "s").iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("items", [[1], [0, 1, 2]])
@pytest.mark.parametrize("runner", Runner)
def test_a_failing_worker_is_the_error_and_stays_in_no_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, items: list[int], runner: Runner
) -> None:
    if runner is Runner.FLINK:
        as_on_flink(monkeypatch)
    with pytest.raises(BadInput) as caught:
        lake.run_step(tmp_path / "s", {}, items, refuse_the_second, runner=runner)
    assert str(caught.value) == "COUNT_DIFFERS: the count differs (item 1). Count again."
    assert lake.read_manifest(tmp_path / "s") is None
    assert lake.run_step(tmp_path / "s", {}, items, Multiples(3), runner=runner).rows("numbers") == len(items)


@pytest.mark.parametrize("then", [None, add_up])
@pytest.mark.parametrize("items", [[1], [0, 1, 2]])
def test_a_runner_that_does_everything_twice_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, items: list[int], then: lake.Worker | None
) -> None:
    once = lake.run_step(tmp_path / "once" / "s", {}, items, Multiples(5), then=then)
    tried: list[str] = []
    write = lake.Attempt.write
    monkeypatch.setattr(lake.Attempt, "write", lambda self, *a, **n: tried.append(self.folder) or write(self, *a, **n))
    monkeypatch.setattr(graph, "FnApiRunner", partial(graph.FnApiRunner, bundle_repeat=1))
    twice = lake.run_step(tmp_path / "twice" / "s", {}, items, Multiples(5), then=then)
    assert len(set(tried)) == 2 * len(once.parts)
    assert [p.digest for p in twice.parts] == [p.digest for p in once.parts]
    assert lake.committed(tmp_path / "twice" / "s") == twice


def test_steps_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    def run(factor: int) -> int:
        done = lake.run_step(tmp_path / f"s{factor}", {}, [1, 2], Multiples(factor), then=add_up)
        total: int = pq.read_table(done.paths("total")[0])["n"][0].as_py()
        return total

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(8))) == [3 * factor for factor in range(8)]


def test_a_graph_is_translated_once_and_leaves_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    beam.prepare()
    assert threading.active_count() == before

    def again(*_given: Any, **_named: Any) -> Any:
        raise AssertionError("a pipeline is built")

    monkeypatch.setattr(apache_beam.Pipeline, "__init__", again)
    for items in ([0], [0, 1]):
        for then in (None, add_up):
            folder = tmp_path / f"{len(items)}{then is None}"
            assert lake.run_step(folder, {}, items, Multiples(2), then=then).rows("numbers") == len(items)


def test_no_transform_keeps_what_it_was_translated_with() -> None:
    """Else a step would run without its own work, and commit nothing."""
    shape = beam._graph(True, True)
    fns = beam._fns(Path(), "", [], Multiples(1), add_up, False, {})
    parallel = {t.unique_name for t in shape.proto.components.transforms.values() if "pardo" in t.spec.urn}
    assert parallel == set(fns)
    with pytest.raises(KeyError):
        beam._graph(True, False).run(fns)


def test_a_bundle_that_has_ended_does_not_wait_long() -> None:
    """By the only argument of Beam's sampler that has a default: a new Beam may have others."""
    assert StateSampler("stage", CounterFactory()).sampling_period_ms == 5
