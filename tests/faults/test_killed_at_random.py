"""Random `kill -9` over all that changes a home: afterwards the same action ends as if it had never been killed,
nothing readable is left, and verification finds nothing."""

from __future__ import annotations

import json
import random
import shutil
import time
from pathlib import Path

import pytest

from flows.home.tree import open_home
from tests import SEED, SOAK
from tests.faults import homes
from tests.faults.counted import Counted
from tests.faults.test_crash import KILLED, Zygote, fresh

# What share of the kills each action has: a run has the most steps.
ACTIONS = {
    "run": 0.35,
    "recall": 0.15,
    "update": 0.15,
    "nightly": 0.1,
    "enrol": 0.1,
    "shredding": 0.1,
    "signed_head": 0.05,
}
KILLS = 200 if SOAK else 16


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return homes.make(tmp_path_factory.mktemp("killed"))


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("action", ACTIONS)
def test_killed_at_any_moment_it_ends_as_if_it_had_not_been(
    base: Path, zygote: Zygote, tmp_path: Path, action: str
) -> None:
    done, asked = Counted("kills", action), max(1, round(KILLS * ACTIONS[action]))
    reference, seconds = homes.undisturbed(base, zygote, tmp_path / "undisturbed", action)
    while (died := sum(line["killed"] for line in done.lines)) < asked:
        n = len(done.lines)
        assert n < 4 * KILLS, "the alarm comes too late"
        place, begun, chance = fresh(base, tmp_path / str(n)), time.monotonic(), random.Random(f"{action}-{SEED}-{n}")
        ended = homes.act(zygote, place, action, alarm=chance.uniform(0.005, seconds))
        assert ended in ([0], [KILLED])
        if ended == [0]:  # a busy machine has become an idle one, and the alarm came too late
            seconds = (seconds + time.monotonic() - begun) / 2
        assert homes.act(zygote, place, action) == [0]
        found = homes.look(open_home(place / "home"))
        assert {k: v for k, v in found.items() if v != reference[k]} == {}, n
        done.add(killed=int(ended == [KILLED]))
        shutil.rmtree(place.parent)
    print(json.dumps({"action": action, "runs": len(done.lines), "kills": died}))
