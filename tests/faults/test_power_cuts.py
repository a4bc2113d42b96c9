"""The power is cut at every durable step of all that changes a home: what was not synced is gone, and the same action
then ends as if nothing had happened."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.home.tree import open_home
from tests import SEED, SOAK
from tests.faults import homes
from tests.faults.counted import Counted
from tests.faults.power import DURABLE, Disk
from tests.faults.test_crash import KILLED, Zygote, fresh

ACTIONS = ("run", "recall", "update", "enrol", "shredding", "signed_head", "reseal")
CUTS = 10_000 if SOAK else 4  # of an action, at most: a seeded share, or every point that there is


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return homes.make(tmp_path_factory.mktemp("power"))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    try:
        made = Disk(tmp_path_factory.mktemp("loop"))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs root, ext4 and a loop device")
    yield made
    made.close()


def test_what_was_not_synced_is_gone(disk: Disk) -> None:
    synced, not_synced = disk.path / "synced", disk.path / "not_synced"
    synced.write_text("1")
    disk.save()
    not_synced.write_text("2")
    disk.cut()
    assert synced.read_text() == "1" and not not_synced.exists()
    synced.unlink()


@pytest.mark.slow
@pytest.mark.timeout(14400)
@pytest.mark.parametrize("action", ACTIONS)
def test_after_a_power_cut_it_ends_as_if_there_had_been_none(
    base: Path, disk: Disk, zygote: Zygote, tmp_path: Path, action: str
) -> None:
    reference, _ = homes.undisturbed(base, zygote, tmp_path / "undisturbed", action)
    points = _points(base, zygote, tmp_path, action)
    assert points
    done, chosen = Counted("cuts", action), random.Random(f"{action}-{SEED}").sample(points, min(CUTS, len(points)))
    for point in [point for point in chosen if point not in {line["point"] for line in done.lines}]:
        disk.clear()
        place = fresh(base, disk.path)
        disk.save()
        assert homes.act(zygote, place, action, kill=point) == [KILLED], point
        disk.cut()
        assert homes.act(zygote, place, action) == [0], point
        found = homes.look(open_home(place / "home"))
        assert {k: v for k, v in found.items() if v != reference[k]} == {}, point
        done.add(point=point)
    disk.clear()
    print(json.dumps({"action": action, "points": len(points), "cuts": len(chosen)}))


def _points(base: Path, zygote: Zygote, folder: Path, action: str) -> list[str]:
    """Each moment at which the action makes something durable: a point at which a child of the zygote dies."""
    place, counts = fresh(base, folder / "counted"), folder / "counts"
    arguments = [action, str(place / "home"), str(counts)]
    assert zygote.run(call="tests.faults.power:counted", arguments=arguments) == [0]
    times = json.loads(counts.read_text())
    return [f"{point}:{n + 1}" for name, point in DURABLE.items() for n in range(times.get(name, 0))]
