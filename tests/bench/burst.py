"""A burst of small submissions, dropped at once, run by `sluicegate watch`: how long from arrival to verdict.

`python -m tests.bench.burst [--count 500] [--rows 20] [--at-once 2]`. All must be decided, none twice, and begun in the
order in which they came, but for those that are begun together. The floor: the time between two verdicts while the
queue is full; a submission that finds nobody before it takes that long, times how many run at once.
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
from collections import Counter
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles

from expectations.base.clock import Clock
from flows import audit
from flows.batch.inbox import batch_of
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from tests.factories import installations
from tests.factories.installations import Installation

_DECIDED = {State.PUBLISHED, State.HELD, State.REFUSED, State.UNREADABLE}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.burst")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        made = installations.make(Path(place) / "home")
        command = [sys.executable, "-m", "flows.cli.main", "watch", "--every", "0.5", "--at-once", str(given.at_once)]
        environment = {**os.environ, "SLUICEGATE_HOME": str(made.home.root)}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout and watching.stdout.readline().startswith("watching")
            came = drop(made, given.count, given.rows)
            print(f"{given.count} submissions of {given.rows} rows came within {spread(came):.1f} s", flush=True)
            wait(made, given.count)
            watching.send_signal(signal.SIGTERM)
            watching.communicate()
        report(made, came, given.at_once)


def drop(made: Installation, count: int, rows: int) -> dict[str, float]:
    """Writes the submissions beside the inbox, and moves them in; gives when each came, by its batch, in that order."""
    prepared, came = made.home.root / "prepared", {}
    prepared.mkdir()
    for n in range(count):
        people = [installations.request((n * rows + m) % 80 + 1, request_id=f"R-{n}-{m}") for m in range(rows - 1)]
        stranger, _, _ = installations.SPOILED["unknown person"]
        people.append(installations.request(70, **{**stranger, "request_id": f"S-{n}"}))
        made.submit(prepared / f"submission-{n:05}", people)
    for folder in sorted(prepared.iterdir()):
        arrived = time.time()
        (folder / "letter.toml.sig").touch()
        os.utime(folder, (arrived, arrived))
        came[batch_of(folder.rename(made.home.inbox / folder.name))] = arrived
    return came


def wait(made: Installation, count: int) -> None:
    """Until all are decided."""
    while True:
        with Ledger.open(made.home.ledger_url, Clock()) as ledger:
            records = ledger.batches()
        if len(records) == count and all(record.state in _DECIDED for record in records):
            return
        time.sleep(1)


def report(made: Installation, came: dict[str, float], at_once: int) -> None:
    """The figures, or what is wrong."""
    begun, decided = {}, {}
    with Ledger.open(made.home.ledger_url, Clock()) as ledger:
        ends = Counter(record.state.value for record in ledger.batches())
        for batch in came:
            events = [(datetime.fromisoformat(str(e["at"])).timestamp(), e["kind"]) for e in ledger.events(batch)]
            begun[batch] = events[0][0]
            verdicts = [at for at, kind in events if kind in _DECIDED]
            assert len(verdicts) == 1, f"{batch} was decided {len(verdicts)} times"
            decided[batch] = verdicts[0]
        assert audit.verify(made.home, ledger).problems == ()
    overtaken = max(place - n for n, place in enumerate(places(list(came), sorted(begun, key=begun.__getitem__))))
    assert overtaken < at_once, f"one was overtaken by {overtaken}"  # those that are started together have no order
    took = [decided[batch] - at for batch, at in came.items()]
    between = (max(decided.values()) - min(decided.values())) / (len(came) - 1)
    own = [decided[batch] - begun[batch] for batch in came]
    said = {
        "submissions": len(came),
        "ends": dict(ends),
        "arrival to verdict, s": {"p50": round(median(took), 1), "p95": round(quantiles(took, n=20)[18], 1)},
        "receipt to verdict, s": {"p50": round(median(own), 1), "p95": round(quantiles(own, n=20)[18], 1)},
        "between verdicts, s": round(between, 2),
        "overtaken by at most": overtaken,
        "ratio of the last one's wait to the floor": round(max(took) / (between * len(came)), 2),
    }
    print(json.dumps(said, indent=1))


def places(came: list[str], begun: list[str]) -> list[int]:
    """Where each that came was begun, in the order of coming."""
    found = {batch: place for place, batch in enumerate(begun)}
    return [found[batch] for batch in came]


def spread(came: dict[str, float]) -> float:
    return max(came.values()) - min(came.values())


if __name__ == "__main__":
    main()
