"""Random `kill -9` over all that changes a home: afterwards the same action ends as if it had never been killed,
nothing readable is left, and verification finds nothing."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from flows import audit
from flows.home.registers import current_register
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from tests import SOAK
from tests.factories import installations, runs
from tests.factories.deltas import TODAY, write_delta
from tests.faults import acting
from tests.faults.test_crash import KILLED, Zygote, fresh

# What share of the kills each action has: a run has the most steps.
ACTIONS = {
    "run": 0.4,
    "recall": 0.15,
    "update": 0.15,
    "enrol": 0.1,
    "shredding": 0.1,
    "signed_head": 0.1,
}
KILLS = 200 if SOAK else 24
ONCE = ("published", "prepared", "shredded", "enrolled", "case_opened")  # events that must never be there twice
READABLE = (".parquet", ".csv", ".jsonl", ".xml", ".gz")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a published batch, and beside it all that the actions need."""
    folder = tmp_path_factory.mktemp("killed")
    installation = installations.make(folder / "home")
    runs.released(installation, folder / "first", 1, 8)
    installation.submit(folder / "next", installations.mixed()[8:])
    write_delta(folder / "delta", removed=[installations.PERSONS - 1, installations.PERSONS], on=TODAY)
    (folder / "rows").write_text("1\n2\n")
    (folder / "receipt").write_text("received")
    shutil.rmtree(folder / "first")
    return folder


def look(home: Home) -> dict[str, Any]:
    """What an action must have come to, however often it was killed."""
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        kinds = Counter(event["kind"] for event in ledger.events())
        return {
            "problems": list(audit.verify(home, ledger, deep=True).problems),
            "batches": {r.name: (str(r.state), r.package_digest is not None) for r in ledger.batches()},
            "contents": {p.name: _content(p) for p in home.outbox.iterdir() if not p.name.startswith(".")},
            "cases": [[str(step.state) for step in case.steps] for case in ledger.cases()],
            "instruments": sorted(id for id, *_ in ledger.instruments()),
            "events": {kind: kinds[kind] for kind in ONCE},
            "persons": acting.persons(home),
            "left": left(home),
        }


def _content(package: Path) -> Any:
    manifest = json.loads((package / "manifest.json").read_text())
    return manifest.get("content_digest", manifest["format"])


def left(home: Home) -> list[str]:
    """Files that nobody should find any more: rows that can be read, and what was never finished."""
    files = [p.relative_to(home.root) for place in _PLACES for p in (home.root / place).rglob("*") if p.is_file()]
    half = [str(p) for p in files if any(part.startswith(".") and ".lock" not in part for part in p.parts)]
    rows = [str(p) for p in files if p.suffix in READABLE and not p.name.endswith(".asked.parquet")]
    prepared = current_register(home).parent
    return sorted({*half, *rows, *(p.name for p in prepared.iterdir() if p.name.startswith(".") and p.is_dir())})


_PLACES = ("lake", "outbox", "evidence", "accounting", "recalls", "checkpoints", "verdicts")


def undisturbed(base: Path, zygote: Zygote, folder: Path, action: str) -> tuple[dict[str, Any], float]:
    """How an action ends that nothing kills, and how long it takes."""
    place, begun = fresh(base, folder), time.monotonic()
    assert act(zygote, place, action) == [0]
    seconds = time.monotonic() - begun
    return look(open_home(place / "home")), seconds


def act(zygote: Zygote, place: Path, action: str, **how: float) -> list[int]:
    return zygote.run(call=f"tests.faults.acting:{action}", arguments=[str(place / "home")], **how)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("action", ACTIONS)
def test_killed_at_any_moment_it_ends_as_if_it_had_not_been(
    base: Path, zygote: Zygote, tmp_path: Path, action: str
) -> None:
    reference, seconds = undisturbed(base, zygote, tmp_path / "undisturbed", action)
    assert reference["problems"] == [] and not [p for p in reference["left"] if p.endswith(".parquet")]
    chance, died, n = random.Random(f"{action}-2026"), 0, 0
    while died < max(1, round(KILLS * ACTIONS[action])):
        assert n < 4 * KILLS, "the alarm comes too late"
        place, begun, n = fresh(base, tmp_path / str(n)), time.monotonic(), n + 1
        ended = act(zygote, place, action, alarm=chance.uniform(0.005, seconds))
        assert ended in ([0], [KILLED])
        if ended == [0]:  # a busy machine has become an idle one, and the alarm came too late
            seconds = (seconds + time.monotonic() - begun) / 2
        died += ended == [KILLED]
        assert act(zygote, place, action) == [0]
        found = look(open_home(place / "home"))
        assert {k: v for k, v in found.items() if v != reference[k]} == {}, n
        shutil.rmtree(place.parent)
    print(json.dumps({"action": action, "runs": n, "kills": died}))
