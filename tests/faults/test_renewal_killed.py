"""`kill -9` while the key of the keyed hashes is renewed: all that the ledger has is hashed by one key or by the other,
the new key is never lost once anything is hashed with it, and whoever goes on ends as if nothing had happened."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from expectations.base.algorithms import Scheme
from expectations.base.clock import Clock
from flows import audit
from flows.cases.opening import Chosen, open_cases
from flows.home.tree import Home, open_home
from flows.ledger.lifecycles.cases import CaseReason
from tests import SEED, SOAK
from tests.factories import installations, runs
from tests.faults.power import DURABLE
from tests.faults.test_crash import KILLED, Zygote

CUTS = 10_000 if SOAK else 6
NAMED = [
    "flows.home.renewal:renew:after:1",
    "flows.ledger.homes:Homes.record_keys:before:1",
    "flows.ledger.homes:Homes.record_keys:after:1",
    "flows.home.renewal:_put:before:1",
    "flows.home.renewal:_put:after:1",
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two batches were published, and rows of one are recalled."""
    folder = tmp_path_factory.mktemp("renewal")
    made = installations.make(folder / "home")
    first = runs.released(made, folder / "a", 1, 12)
    runs.released(made, folder / "b", 20, 25)
    open_cases(made.home, Clock(), Chosen(first, ("0", "1")), CaseReason.INCOMPLETE_ADDRESS, "operator-1")
    return made.home


def act(zygote: Zygote, home: Home, **how: object) -> list[int]:
    return zygote.run(call="tests.faults.acting:hash_renewed", arguments=[str(home.root)], **how)


def copied(base: Home, folder: Path) -> Home:
    shutil.copytree(base.root, folder)
    return open_home(folder)


def hashed(home: Home) -> list[str]:
    """What the ledger has of requests that were answered."""
    with runs.ledger_of(home) as ledger:
        record = next(one for one in ledger.batches() if one.agreement)
        return list(ledger.disclosed(record.requester, record.agreement))


@pytest.mark.slow
@pytest.mark.timeout(14400)
def test_after_a_kill_it_ends_as_if_there_had_been_none(base: Home, zygote: Zygote, tmp_path: Path) -> None:
    counting, counts = copied(base, tmp_path / "counted"), tmp_path / "counts"
    arguments = ["hash_renewed", str(counting.root), str(counts)]
    assert zygote.run(call="tests.faults.power:counted", arguments=arguments) == [0]
    times: Mapping[str, int] = json.loads(counts.read_text())
    points = [f"{point}:{n + 1}" for name, point in DURABLE.items() for n in range(times[name])]
    before = hashed(base)
    assert before
    for number, point in enumerate([*NAMED, *random.Random(f"{SEED}").sample(points, min(CUTS, len(points)))]):
        home = copied(base, tmp_path / str(number))
        assert act(zygote, home, kill=point) == [KILLED], point
        keys, generations = list(home.keys.glob("hash*")), len(home.hash_key.schemes)
        carried = hashed(home) != before
        assert not carried or generations == 2 or len(keys) == 2, point  # the new key is there, in its place or beside
        assert act(zygote, home) == [0], point
        assert open_home(home.root).hash_key.schemes == (Scheme.SHA256, Scheme.SHA3_256), point
        assert [path.name for path in home.keys.glob("hash*")] == ["hash"], point
        assert len(hashed(home)) == len(before) and not set(hashed(home)) & set(before), point
        with runs.ledger_of(home) as ledger:
            assert audit.verify(home, ledger, deep=True).problems == (), point
        shutil.rmtree(home.root)
    print(json.dumps({"points": len(points)}))
