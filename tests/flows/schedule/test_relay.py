"""What Prefect's server is told: each thing once, by ids; after a restart it goes on from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import Transient
from flows.batch import inbox
from flows.batch.receive import receive
from flows.cli import main
from flows.ledger import Ledger
from flows.ledger.decisions import Reason
from flows.schedule import relay
from flows.schedule.due import due
from flows.schedule.started import PAUSES, Started
from flows.schedule.watch import Watch, _patiently
from tests.factories import installations
from tests.factories.installations import Installation

CANARY = "Zebulon Quackenbush 17"
Told = list[tuple[str, str, Mapping[str, object]]]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = installations.make(tmp_path / "home")
    with installations.at_home(made.home):
        yield made


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    found: Told = []
    monkeypatch.setattr(relay, "_tell", lambda name, resource, key, payload: found.append((name, resource, payload)))
    return found


def test_each_thing_is_told_once_and_by_ids_only(installation: Installation, told: Told) -> None:
    home = installation.home
    folder = installation.submit(home.inbox / CANARY, [installations.request(1)])
    teller = relay.Relay(home)
    assert (teller.step(), teller.step()) == (1, 0)
    id = inbox.id_of(folder)
    assert told == [(relay.SUBMISSION, f"sluicegate.submission.{id}", {"batch": id})]
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        batch = receive(home, ledger, ledger.clock, folder)
        seq = ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
    del told[:]
    assert (teller.step(), teller.step()) == (2, 0)
    assert told == [
        ("sluicegate.releases.halted", "sluicegate.home", {"batch": None, "seq": seq}),
        (relay.GOES_ON, f"sluicegate.batch.{batch}", {"batch": batch}),
    ]
    assert "Quackenbush" not in str(told)
    # another process goes on from there; what starts a batch comes again, and finds the work done
    del told[:]
    assert relay.Relay(home).step() == 2 and {name for name, *_ in told} == {relay.SUBMISSION, relay.GOES_ON}


def test_what_is_told_of_the_ledger_is_what_it_can_say() -> None:
    from flows.ledger.events import Kind
    from flows.ledger.lifecycles.states import State

    assert set(relay.TOLD) <= {*(k.value for k in Kind), *(s.value for s in State)}
    assert len(set(relay.TOLD.values())) == len(relay.TOLD)


def test_without_a_server_nothing_is_told(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert main.run(["watch", "--emit", "--once"]) == 2
    assert "NO_SERVER" in capsys.readouterr().err


def test_a_submission_that_was_received_is_due_until_it_has_ended(installation: Installation) -> None:
    folder = installation.submit(installation.home.inbox / "one", [installations.request(1)])
    (first,) = due(installation.home)
    assert first.is_submission and first.batch == inbox.batch_of(folder)
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        batch = receive(installation.home, ledger, ledger.clock, folder)
    assert [one.batch for one in due(installation.home)] == [batch, batch]


def test_what_the_server_lost_is_told_again_unless_a_run_is_for_it(
    installation: Installation, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = installation.submit(installation.home.inbox / "one", [installations.request(1)])
    id, seconds, asked = inbox.id_of(folder), [0.0], {inbox.id_of(folder)}
    monkeypatch.setattr(relay, "_asked", lambda: frozenset(asked))
    teller = relay.Relay(installation.home)
    teller.started = Started(lambda: seconds[0])
    assert teller.step() == 1
    seconds[0] += PAUSES[0]
    assert teller.step() == 0  # its run waits for a place
    asked.clear()
    seconds[0] += PAUSES[1]
    assert teller.step() == 1 and [payload for *_, payload in told] == [{"batch": id}] * 2
    assert teller.step() == 0


def test_each_telling_is_an_event_of_its_own(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes an event of the same id for the one that it knows."""
    installation.submit(installation.home.inbox / "one", [installations.request(1)])
    keys, seconds = [], [0.0]
    monkeypatch.setattr(relay, "_tell", lambda _name, _resource, key, _payload: keys.append(key))
    monkeypatch.setattr(relay, "_asked", frozenset)
    teller = relay.Relay(installation.home)
    teller.started = Started(lambda: seconds[0])
    for pause in (0.0, *PAUSES):
        seconds[0] += pause
        assert teller.step() == 1
    assert len(set(keys)) == len(keys) == 1 + len(PAUSES)


def test_a_ledger_out_of_reach_stops_neither_relay_nor_watch(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper, said = Watch(installation.home, 1), iter([True, True, False, True])

    def step() -> int:
        return _raising() if next(said) else 1

    assert [_patiently(keeper, step, once=False) for _ in range(4)] == [0, 0, 1, 0]
    assert capsys.readouterr().err.count("LEDGER_BUSY") == 2  # once for as long as it lasts
    with pytest.raises(Transient):
        _patiently(keeper, _raising, once=True)


def _raising() -> int:
    raise Transient("LEDGER_BUSY", "out of reach")
