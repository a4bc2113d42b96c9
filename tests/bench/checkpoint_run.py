"""The four checkpoints on a batch that waits in its home, in a process of its own.

`python -m tests.bench.checkpoint_run make HOME PERSONS ROWS` makes a sandbox home with a clean batch that has passed
all four and is not published. `python -m tests.bench.checkpoint_run run HOME [CHECKPOINT …]` runs each of them (or
these) again on what the stages committed, and prints a line: of each the seconds, and those of the processor, all
threads and child processes together. Run it from two versions of the code, each with a home that it made, in turns.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from expectations.base.clock import Clock
from expectations.gx import evaluate
from flows.batch import checkpoints
from flows.batch.plan import PLAN
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.home.tree import open_home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.sandbox.home import init, make_batch
from pipelines import sealing, simulate
from tests.bench.measured import peak_mb


def make(root: Path, persons: int, rows: int) -> None:
    """A home at `root` whose one batch is sealed, each checkpoint passed."""
    raw = root / "register" / "raw"
    home = init(root, sandbox=True, settings={"register_folder": str(raw)})
    simulate.register(persons, 1, raw, duck=home.duck)
    clock = Clock()
    day = clock.today("America/New_York")
    submission = make_batch(home, raw, rows, 2, "clean", root / "made", day, "sandbox-2026", None)
    with Ledger.open(home.ledger_url, clock) as ledger:
        batch = BatchSteps(home, ledger, receive(home, ledger, clock, submission))
        while (state := batch.record.state) is not State.SEALED:
            for step in PLAN[state]:
                begun = time.process_time()
                verdict = batch.do(step)
                said = f" {verdict.status} {verdict.codes}" if verdict else ""
                print(f"{step}: {time.process_time() - begun:.1f} s{said}", flush=True)
            assert batch.record.state is not state, "the batch is held: it is no clean one"


def processor() -> float:
    """Seconds of the processor until now, of this process and its children that have ended."""
    return sum(os.times()[:4])


def run(root: Path, which: list[Checkpoint]) -> dict[str, tuple[float, float]]:
    """Seconds of each checkpoint of the batch in `root`, and of the processor; each must pass. What it opens is sealed
    before."""
    evaluate.library()  # a run has it imported by then
    import apache_beam  # noqa: F401

    home, took = open_home(root), {}
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        (name,) = (folder.name for folder in home.lake.iterdir() if not folder.name.startswith("."))
        batch, identity = BatchSteps(home, ledger, name), sealing.new_identity()
        if Checkpoint.DISCLOSURE in which:
            batch.release.seal(identity.recipient)
        for one in which:
            begun, spent = time.perf_counter(), processor()
            verdict = checkpoints.run(one, batch.ctx, batch.dropped(), identity, home.holders)
            took[str(one)] = (round(time.perf_counter() - begun, 1), round(processor() - spent, 1))
            assert verdict.status == "PASS", (one, verdict.codes, list(verdict.failed))
    return took


def main(part: str, root: Path, *more: str) -> None:
    if part == "make":
        make(root, int(more[0]), int(more[1]))
        return
    took = run(root, [Checkpoint(m) for m in more] or list(Checkpoint))
    both = [round(sum(pair), 1) for pair in zip(*took.values(), strict=True)]
    print(json.dumps({**took, "all": both, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
