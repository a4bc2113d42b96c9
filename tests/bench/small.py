"""A small submission, warm: how long from its arrival in the inbox of a `sluicegate watch` that has nothing else to do
until its verdict; beside a floor, the frameworks alone.

`python -m tests.bench.small [--rows 1000] [--persons 100000] [--times 20]`. The floor is a forked child, as a batch's
run is one, in which Prefect, Beam and Great Expectations do on nothing what they do for a batch.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from expectations.base.clock import Clock
from flows.batch.inbox import batch_of
from flows.batch.plan import Step
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from tests.bench.golden import Kit

if TYPE_CHECKING:
    from pipelines.lake.graph import Graph

_QUIET = 3  # seconds between a run and the next submission
_PIPELINES, _CHECKPOINTS, _RULES = 13, 4, 50  # of a batch; the rules are those of one checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.small")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        kit = Kit(Path(place), str(Path(sys.executable).with_name("sluicegate")))
        submissions = made(kit, given.rows, given.persons, given.times)
        os.environ["SLUICEGATE_HOME"] = str(kit.home)
        home = open_home()
        took = watched(home, submissions)
        bare = [bare_seconds(home) for _ in range(5)]
    said = {
        "submissions": len(took),
        "rows": given.rows,
        "persons": given.persons,
        "arrival to verdict, s": {"p50": round(median(took), 1), "p95": round(quantiles(took, n=20)[18], 1)},
        "the frameworks alone, s": round(median(bare), 1),
        "ratio to the floor": round(median(took) / median(bare), 2),
    }
    print(json.dumps(said, indent=1))


def made(kit: Kit, rows: int, persons: int, times: int) -> list[Path]:
    """A home with a register, and submissions that were not yet put into its inbox."""
    raw = kit.folder / "raw"
    kit.call("init", "--sandbox", "--register", raw)
    kit.call("simulate", "register", "--rows", str(persons), "--out", raw, "--seed", "5")
    kit.call("register", "build")
    for n in range(times):
        options = ("--rows", str(rows), "--seed", str(100 + n), "--profile", "clean")
        code, _ = kit.call("simulate", "batch", "--register", raw, "--out", kit.folder / f"made-{n}", *options)
        assert code == 0, n
    return [kit.folder / f"made-{n}" / "submission" for n in range(times)]


def watched(home: Home, submissions: Sequence[Path]) -> list[float]:
    """Puts each into the inbox some seconds after the run of the one before has ended; seconds from then until it is
    decided. Nothing is asked meanwhile: what is measured has both processors for itself."""
    command = [sys.executable, "-m", "flows.cli.main", "watch", "--every", "0.2", "--at-once", "1"]
    took = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout and watching.stdout.readline().startswith("watching")
        for n, folder in enumerate(submissions):
            batch, arrived = batch_of(folder), time.time()
            folder.rename(home.inbox / f"submission-{n}")
            assert any("released" in line for line in watching.stdout)  # its run has ended, or the watch has
            took.append(decided(home, batch) - arrived)
            print(f"{n + 1} of {len(submissions)}: {took[-1]:.1f} s", flush=True)
            time.sleep(_QUIET)
        watching.send_signal(signal.SIGTERM)
        watching.communicate()
    return took


def decided(home: Home, batch: str) -> float:
    """When this batch was decided, as the ledger says; raises AssertionError if it was not released."""
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        assert ledger.known_batch(batch).state is State.PUBLISHED
        ended = ledger.ended_at(batch)
    assert ended is not None
    return ended.timestamp()


def bare_seconds(home: Home) -> float:
    """What the frameworks take for a batch of nothing, in a process forked from one that has loaded them."""
    command = [sys.executable, "-c", "from tests.bench.small import bare; bare()"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def bare() -> None:
    """Prints the seconds of a forked child that runs a flow of tasks, pipelines and checkpoints on nothing."""
    from flows.schedule import preload, server

    home = open_home()
    wait = server.start(home)
    preload.load()
    wait()
    nothing = _translated()
    begun = time.perf_counter()
    child = os.fork()
    if child == 0:
        _frameworks(nothing)
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(time.perf_counter() - begun)


def _translated() -> Graph:
    """The graph of a step that does nothing, translated before the fork as those of a batch are."""
    import apache_beam as beam

    from pipelines.lake.graph import translated

    def connect(pipeline: beam.Pipeline) -> None:
        work = pipeline | beam.Impulse() | "Work" >> beam.Map(lambda _: (0, [1])) | "One" >> beam.Map(lambda pair: pair)
        _ = work | beam.GroupByKey() | "All" >> beam.Map(lambda pair: None)

    return translated(connect)


def _frameworks(nothing: Graph) -> None:
    from prefect import flow, task

    from expectations.gx.checkpoint import run as checkpoint
    from expectations.gx.checks import Suite, condition

    rules = [condition((f"rule.{n}", "one", "COUNTS_DIFFER"), ("a",), f"a <> {n + 2}", {"a": n}) for n in range(_RULES)]
    suite = Suite("nothing", "one", tuple(rules))

    @task
    def step(n: int) -> None:
        for _ in range(_PIPELINES // len(Step) + (n < _PIPELINES % len(Step))):
            nothing.run({})
        if n < _CHECKPOINTS:
            assert checkpoint(suite, {"one": "(SELECT 1 AS a)"}, rows=1).status == "PASS"

    @flow(persist_result=False)
    def batch() -> None:
        for n in range(len(Step)):
            step(n)

    batch()


if __name__ == "__main__":
    main()
