"""`kill -9` at durable steps of sealing anew: nothing is lost or left as plaintext, the home is as the ledger says, and
the next run ends as if nothing had happened. And two at once."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from flows import audit
from flows.audit import needed, settling
from flows.home import holder
from flows.home.tree import Home, open_home
from tests import SEED, SOAK
from tests.factories import runs, sealed
from tests.factories.sealed import CANARY, Sealed
from tests.faults.homes import left
from tests.faults.power import DURABLE
from tests.faults.test_crash import KILLED, Zygote

POINTS = {**DURABLE, "after_an_overwriting": "flows.home.keys:overwrite:after"}
CUTS = 10_000 if SOAK else 8
NAMED = {
    "seal_anew": [
        "flows.ledger.seals:Seals.reseal:before:1",
        "flows.ledger.seals:Seals.reseal:after:1",
        "flows.ledger.seals:Seals.reseal:after:4",
        "flows.cases.lookbacks:now_digest:after:1",
        "flows.evidence.keys:destroy_earlier:before:1",
        "shutil:rmtree:before:1",
    ],
    "seal_all_anew": [
        "flows.evidence.anew:stage:after:1",
        "flows.ledger.seals:Seals.reseal:after:1",
        "flows.home.staging:put:after:3",
        "flows.evidence.keys:put:before:1",
        "flows.evidence.keys:put:after:1",
    ],
}
_WORDS = (CANARY.encode(), b"Quagmire")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    return sealed.make(tmp_path_factory.mktemp("sealed"))


def copied(base: Sealed, folder: Path) -> Home:
    shutil.copytree(base.home.root, folder)
    return open_home(folder)


def act(zygote: Zygote, home: Home, action: str, **how: object) -> list[int]:
    return zygote.run(call=f"tests.faults.acting:{action}", arguments=[str(home.root)], **how)


def plaintext(home: Home) -> set[Path]:
    """Files in which anything of a person can be read, in the home or beside it."""
    files = (path for path in home.root.parent.rglob("*") if path.is_file())
    return {path for path in files if any(word in path.read_bytes() for word in _WORDS)}


def counted(zygote: Zygote, base: Sealed, action: str, folder: Path) -> list[str]:
    home, counts = copied(base, folder / "counted"), folder / "counts"
    assert zygote.run(call="tests.faults.power:counted", arguments=[action, str(home.root), str(counts)]) == [0]
    times: Mapping[str, int] = json.loads(counts.read_text())
    return [f"{point}:{n + 1}" for name, point in DURABLE.items() for n in range(times[name])]


@pytest.mark.slow
@pytest.mark.timeout(14400)
@pytest.mark.parametrize("action", NAMED)
def test_after_a_kill_it_ends_as_if_there_had_been_none(
    base: Sealed, zygote: Zygote, tmp_path: Path, action: str
) -> None:
    points = counted(zygote, base, action, tmp_path)
    chosen = random.Random(f"{action}-{SEED}").sample(points, min(CUTS, len(points)))
    for number, point in enumerate([*NAMED[action], *chosen]):
        home = copied(base, tmp_path / f"{number}" / "home")
        before, readable = sealed.contents(home), plaintext(home)
        assert act(zygote, home, action, kill=point) == [KILLED], point
        assert sealed.contents(home) == before, point  # whatever waits where: everything opens
        assert plaintext(home) == readable, point
        if number % 2:
            assert problems(home) == [], point
        assert act(zygote, home, action) == [0], point
        assert problems(home) == [] and sealed.contents(home) == before, point
        assert holder.identity(home).earlier == () and not list(home.keys.glob("*earlier*")), point
        assert not [path for path in needed.sealed_to_holder(home) if path.name.startswith(".")]
        assert [name for name in left(home) if ".anew" in name] == [] and plaintext(home) == readable, point
        shutil.rmtree(home.root.parent)
    print(json.dumps({"action": action, "points": len(points), "kills": len(chosen) + len(NAMED[action])}))


@pytest.mark.parametrize("action", NAMED)
def test_two_at_once_do_no_harm(base: Sealed, zygote: Zygote, tmp_path: Path, action: str) -> None:
    home = copied(base, tmp_path / "home")
    before = sealed.contents(home)
    ended = act(zygote, home, action, times=3)
    assert (
        set(ended) <= {0, 4} and 0 in ended
    )  # who comes last finds nothing to do; who waits may find somebody at work
    assert act(zygote, home, action) == [0]
    assert problems(home) == [] and sealed.contents(home) == before and holder.identity(home).earlier == ()


def test_what_was_begun_is_completed_by_whoever_looks(base: Sealed, zygote: Zygote, tmp_path: Path) -> None:
    home = copied(base, tmp_path / "home")
    assert act(zygote, home, "seal_all_anew", kill="flows.home.staging:put:after:2") == [KILLED]
    with runs.ledger_of(home) as ledger:
        kinds = Counter(event["kind"] for event in ledger.events())
        assert kinds["resealed"] == 1
        settling.settle(home, ledger)
        assert settling.everything(home, ledger) == []
    assert problems(home) == []


def problems(home: Home) -> list[str]:
    with runs.ledger_of(home) as ledger:
        return [str(one) for one in audit.verify(home, ledger, deep=True).problems]
