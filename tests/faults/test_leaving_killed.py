"""Random `kill -9` while a batch is sealed and published, one run or two at a time: nothing partial, double or
unaccounted leaves."""

from __future__ import annotations

import json
import random
import shutil
import time
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from flows.home.tree import HOLDER_SIGNING, open_home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from pipelines import release
from tests import SEED, SOAK
from tests.factories import installations
from tests.faults.counted import Counted
from tests.faults.test_crash import KILLED, Stand, Zygote, fresh, look

KILLS = 200 if SOAK else 30
READY = "flows.batch.release:Release.end_rows:before:1"  # eligibility has passed, nothing is sealed


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Path:
    """A installation with a batch that is about to leave."""
    folder = tmp_path_factory.mktemp("leaving")
    installation = installations.make(folder / "home")
    installation.submit(folder / "submission", installations.mixed())
    assert zygote.run(home=str(folder / "home"), what=str(folder / "submission"), kill=READY) == [KILLED]
    return folder


@pytest.fixture(scope="module")
def undisturbed(base: Path, zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stand, float]:
    """How it ends when nothing is killed, and how long that takes."""
    copy, begun = fresh(base, tmp_path_factory.mktemp("undisturbed")), time.monotonic()
    assert zygote.run(home=str(copy / "home"), what=batch(copy)) == [0]
    return look(copy), time.monotonic() - begun


def batch(place: Path) -> str:
    with Ledger.open(open_home(place / "home").ledger_url, Clock()) as ledger:
        return ledger.batches()[0].name


def nothing_partial(place: Path) -> State:
    """Whatever lies in the outbox is a whole package that the ledger has prepared; whatever it says is published lies
    there."""
    home = open_home(place / "home")
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        (record,) = ledger.batches()
        assert ledger.verify() == []
        kinds = [e["kind"] for e in ledger.events(record.name)]
    there = [p for p in home.outbox.iterdir() if not p.name.startswith(".")]
    if record.state is State.PUBLISHED:
        assert [p.name for p in there] == [record.name]
    if there:
        assert record.state in (State.PREPARED, State.PUBLISHED) and "prepared" in kinds
        release.verify(there[0], [(home.keys / f"{HOLDER_SIGNING}.pub").read_text()])
        assert (home.root / "accounting" / f"{record.name}.parquet.age").is_file()
    return record.state


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_killed_at_random_while_it_leaves(
    base: Path, undisturbed: tuple[Stand, float], zygote: Zygote, tmp_path: Path
) -> None:
    reference, seconds = undisturbed
    done = Counted("kills", "leaving")
    while (died := sum(line["killed"] for line in done.lines)) < KILLS:
        n = len(done.lines)
        assert n < 4 * KILLS, "the alarm comes too late"
        place, chance = fresh(base, tmp_path / str(n)), random.Random(f"leaving-{SEED}-{n}")
        command = {"home": str(place / "home"), "what": batch(place)}
        times = 2 if n % 4 == 3 else 1  # every fourth time two runs race
        begun = time.monotonic()
        ended = zygote.run(**command, alarm=chance.uniform(0.01, seconds), times=times)
        assert set(ended) <= {0, KILLED}
        # as the machine gets busier or idler, the alarm still meets every moment of a run, its last ones too
        seconds = seconds * 1.02 if KILLED in ended else (seconds + time.monotonic() - begun) / 2
        met = nothing_partial(place)
        assert zygote.run(**command, times=times) == [0] * times
        assert look(place) == reference, n
        assert nothing_partial(place) is State.PUBLISHED
        done.add(killed=ended.count(KILLED), met=met.value)
        shutil.rmtree(tmp_path / str(n))
    met_states = {State(line["met"]) for line in done.lines}
    print(json.dumps({"runs": len(done.lines), "kills": died, "states met": sorted(met_states)}))
    if SOAK:  # the moment of `sealed` is short: a share may miss it, and test_crash kills there on purpose
        assert met_states >= {State.VALIDATED, State.SEALED}
